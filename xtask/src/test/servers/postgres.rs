//! PostgreSQL: a primary, and streaming standbys of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Outcome;
use crate::process;
use crate::test::servers::Server;
use crate::test::servers::installation::Requirement;
use crate::test::servers::keeper::Kept;
use crate::test::servers::place;

pub(super) const REQUIREMENT: Requirement = Requirement {
    name: "PostgreSQL",
    package: "postgresql",
    is_there: || Programs::find().is_some(),
    what_to_do: "install PostgreSQL (Debian, Ubuntu: `apt-get install postgresql`; macOS: \
        `brew install postgresql`), or set TEST_POSTGRES_URL to a server whose user may create databases, \
        for example the one of `docker run --rm -p 5432:5432 -e POSTGRES_PASSWORD=test postgres:17`: \
        TEST_POSTGRES_URL=postgres://postgres:test@127.0.0.1:5432/postgres",
};

const NEEDED: [&str; 4] = ["initdb", "postgres", "pg_isready", "pg_basebackup"];

/// The folder that holds PostgreSQL's programs of one version.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// The newest version that Debian's packages installed, else the one on `PATH`.
    pub(super) fn find() -> Option<Self> {
        let on_path = process::find_program("initdb").and_then(|initdb| Some(initdb.parent()?.to_owned()));
        versions_below(Path::new("/usr/lib/postgresql"))
            .into_iter()
            .chain(on_path)
            .find(|folder| NEEDED.iter().all(|name| folder.join(name).is_file()))
            .map(|folder| Self { folder })
    }

    /// Starts a primary that trusts every local client.
    pub(super) fn start_primary(&self) -> Outcome<Server> {
        self.start(&place::volatile(), "PostgreSQL", None, &[])
    }

    /// Starts a primary below a folder, with settings, each as `<name>=<value>`, and options of `initdb`, each as
    /// `--<name>=<value>`; all without spaces.
    pub(super) fn start_primary_with(&self, place: &Path, settings: &[&str]) -> Outcome<Server> {
        self.start(place, "PostgreSQL", None, settings)
    }

    /// Starts a streaming standby of the primary on that port.
    pub(super) fn start_standby(&self, primary: u16) -> Outcome<Server> {
        self.start(&place::volatile(), "Standby", Some(primary), &[])
    }

    /// The same on the disk, with settings.
    pub(super) fn start_standby_with(&self, primary: u16, settings: &[&str]) -> Outcome<Server> {
        self.start(&place::durable(), "Standby", Some(primary), settings)
    }

    fn start(
        &self,
        place: &Path,
        name: &'static str,
        primary: Option<u16>,
        settings: &[&str],
    ) -> Outcome<Server> {
        let kept = Kept::start_below(place, name, include_str!("postgres.sh"), |command, port| {
            command.arg(&self.folder).arg(port.to_string());
            command.arg(primary.map(|primary| primary.to_string()).unwrap_or_default());
            command.args(settings);
        })?;
        let url = format!("postgres://app@127.0.0.1:{}/postgres", kept.port());
        Ok(Server::started(kept, url, &self.version()))
    }

    /// What `postgres --version` says.
    fn version(&self) -> String {
        let said = process::output_of(Command::new(self.folder.join("postgres")).arg("--version"));
        said.map_or_else(
            |_| "PostgreSQL".to_owned(),
            |text| text.trim().replace("postgres (PostgreSQL)", "PostgreSQL"),
        )
    }
}

/// `<folder>/<version>/bin` of each version, the newest first.
fn versions_below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_version_comes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["9", "17", "15", "common"] {
            fs::create_dir(folder.path().join(name)).expect("created");
        }
        let found: Vec<_> = versions_below(folder.path())
            .iter()
            .map(|path| path.strip_prefix(folder.path()).expect("below").to_string_lossy().into_owned())
            .collect();
        assert_eq!(found, ["17/bin", "15/bin", "9/bin"]);
    }
}
