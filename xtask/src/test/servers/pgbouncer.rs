//! PgBouncer in transaction mode before the primary.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Outcome;
use crate::process;
use crate::test::servers::Server;
use crate::test::servers::installation::{Requirement, find_server_program};
use crate::test::servers::keeper::Kept;
use crate::test::servers::url::Target;

pub(super) const REQUIREMENT: Requirement = Requirement {
    name: "PgBouncer",
    package: "pgbouncer",
    is_there: || find().is_some(),
    what_to_do: "install PgBouncer (Debian, Ubuntu: `apt-get install pgbouncer`; macOS: `brew install pgbouncer`), \
        or set TEST_PGBOUNCER_URL to one in transaction mode, and TEST_POSTGRES_URL to the server behind it",
};

pub(super) fn find() -> Option<PathBuf> {
    find_server_program("pgbouncer")
}

/// Starts it before a server; it lets every local client in and logs on to the server as the target says.
pub(super) fn start(program: &Path, target: &Target) -> Outcome<Server> {
    let described = described(target);
    let kept = Kept::start("PgBouncer", include_str!("pgbouncer.sh"), |command, port| {
        command.arg(program).arg(port.to_string()).env("PGBOUNCER_SERVER", &described);
    })?;
    let url = format!("postgres://app@127.0.0.1:{}/postgres", kept.port());
    let before = format!("{}, in transaction mode before port {},", version(program), target.port);
    Ok(Server::started(kept, url, &before))
}

/// The target as a line of PgBouncer's `[databases]`, without the name of a database: the client's counts.
fn described(target: &Target) -> String {
    let quoted = |value: &str| format!("'{}'", value.replace('\'', "''"));
    let password = target.password.as_deref().map(|password| format!(" password={}", quoted(password)));
    format!(
        "host={} port={} user={}{}",
        quoted(&target.host),
        target.port,
        quoted(&target.user),
        password.unwrap_or_default()
    )
}

/// `PgBouncer 1.18.0` is the first line of what it says.
fn version(program: &Path) -> String {
    let said = process::output_of(Command::new(program).arg("--version")).unwrap_or_default();
    said.lines().next().unwrap_or("PgBouncer").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_in_a_password_does_not_end_it() {
        let target = Target::of("postgres://app:it's@db.example/x").expect("a target");
        assert_eq!(described(&target), "host='db.example' port=5432 user='app' password='it''s'");
    }

    #[test]
    fn a_server_that_trusts_is_given_no_password() {
        let target = Target::of("postgres://app@127.0.0.1:6000/x").expect("a target");
        assert_eq!(described(&target), "host='127.0.0.1' port=6000 user='app'");
    }
}
