//! MariaDB, for what runs on the MySQL family.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::Outcome;
use crate::process;
use crate::test::servers::Server;
use crate::test::servers::installation::{Requirement, find_server_program};
use crate::test::servers::keeper::Kept;
use crate::test::servers::place;

pub(super) const REQUIREMENT: Requirement = Requirement {
    name: "MariaDB",
    package: "mariadb-server",
    is_there: || Programs::find().is_some(),
    what_to_do: "install MariaDB (Debian, Ubuntu: `apt-get install mariadb-server`; macOS: \
        `brew install mariadb`), or set TEST_MYSQL_URL to a MariaDB or MySQL server whose user may create databases, \
        for example the one of `docker run --rm -p 3306:3306 -e MARIADB_ROOT_PASSWORD=test mariadb:11`: \
        TEST_MYSQL_URL=mysql://root:test@127.0.0.1:3306/mysql",
};

/// MariaDB's programs.
#[derive(Debug)]
pub(super) struct Programs {
    install: PathBuf,
    server: PathBuf,
    admin: PathBuf,
}

impl Programs {
    pub(super) fn find() -> Option<Self> {
        Some(Self {
            install: find_server_program("mariadb-install-db")?,
            server: find_server_program("mariadbd")?,
            admin: find_server_program("mariadb-admin")?,
        })
    }

    /// Starts a server whose `root` needs no password.
    pub(super) fn start(&self) -> Outcome<Server> {
        self.start_with(&place::volatile(), &[])
    }

    /// The same below a folder, with settings, each as `--<name>=<value>`, without spaces.
    pub(super) fn start_with(&self, place: &Path, settings: &[&str]) -> Outcome<Server> {
        let kept = Kept::start_below(place, "MariaDB", include_str!("mariadb.sh"), |command, port| {
            command.args([&self.install, &self.server, &self.admin]).arg(port.to_string());
            command.args(settings);
        })?;
        let url = format!("mysql://root@127.0.0.1:{}/mysql", kept.port());
        Ok(Server::started(kept, url, &self.version()))
    }

    /// `mariadbd  Ver 10.11.6-MariaDB for debian-linux-gnu …` is `MariaDB 10.11.6`.
    fn version(&self) -> String {
        let said = process::output_of(Command::new(&self.server).arg("--version")).unwrap_or_default();
        let number = said.split_whitespace().skip_while(|word| *word != "Ver").nth(1).unwrap_or_default();
        format!("MariaDB {}", number.split('-').next().unwrap_or_default()).trim().to_owned()
    }
}
