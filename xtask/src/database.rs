//! The databases that chaos and the bench run on.

use std::path::Path;
use std::process::Command;

use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::process;
use crate::test::servers::{Engine, OwnServer, Target};

const POSTGRES: &str = "TEST_POSTGRES_URL";
const MYSQL: &str = "TEST_MYSQL_URL";

/// A kind of database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Server {
    /// A file of each run's own.
    Sqlite,
    /// A database of each run's own, on the server of this URL.
    Postgres(String),
    /// The same on MariaDB or MySQL.
    Mysql(String),
}

impl Server {
    /// The server that `TEST_POSTGRES_URL` names.
    pub(crate) fn given_postgres() -> Option<Self> {
        environment::variable(POSTGRES).map(Self::Postgres)
    }

    /// The server that `TEST_MYSQL_URL` names.
    pub(crate) fn given_mysql() -> Option<Self> {
        environment::variable(MYSQL).map(Self::Mysql)
    }

    /// One that a run has to itself.
    pub(crate) fn of(own: &OwnServer) -> Self {
        match own.engine() {
            Engine::Postgres => Self::Postgres(own.url().to_owned()),
            Engine::MariaDb => Self::Mysql(own.url().to_owned()),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
            Self::Mysql(_) => "mysql",
        }
    }

    /// A new, empty database; returns its URL.
    pub(crate) fn new_database(&self, folder: &Path, name: &str) -> Outcome<String> {
        match self {
            Self::Sqlite => Ok(format!("sqlite:{}", folder.join("chaos.db").display())),
            Self::Postgres(server) => {
                psql(server, &format!("create database {name}"))?;
                with_database(server, name)
            }
            Self::Mysql(server) => {
                mysql(server, &format!("create database {name}"))?;
                with_database(server, name)
            }
        }
    }

    /// The URL of the server; empty for a file.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Sqlite => "",
            Self::Postgres(url) | Self::Mysql(url) => url,
        }
    }

    /// Where the server listens: host and port.
    pub(crate) fn address(&self) -> Outcome<String> {
        let target = match self {
            Self::Sqlite => None,
            Self::Postgres(url) => Target::of(url),
            Self::Mysql(url) => Target::of_mysql(url),
        };
        let target = target.ok_or_else(|| Failure::new("the URL should name a host and no parameters"))?;
        Ok(format!("{}:{}", target.host, target.port))
    }

    /// Has the server execute a statement that concerns all of it.
    pub(crate) fn tell(&self, statement: &str) -> Outcome<()> {
        match self {
            Self::Sqlite => self.execute("", statement),
            Self::Postgres(server) | Self::Mysql(server) => self.execute(server, statement),
        }
    }

    /// Executes a statement in one of its databases; a file has no program for that.
    pub(crate) fn execute(&self, url: &str, statement: &str) -> Outcome<()> {
        match self {
            Self::Sqlite => Err(Failure::new("there is no program that executes statements of SQLite")),
            Self::Postgres(_) => psql(url, statement),
            Self::Mysql(_) => mysql(url, statement),
        }
    }

    /// Has the server write down everything that it has committed, whatever its settings are. MariaDB does so with each
    /// change of a schema, and for the rest cannot be told.
    pub(crate) fn write_all_down(&self) -> Outcome<()> {
        match self {
            Self::Sqlite | Self::Mysql(_) => Ok(()),
            Self::Postgres(server) => psql(server, "checkpoint"),
        }
    }

    /// What a database of a server answers: its rows, one a line.
    pub(crate) fn ask(&self, name: &str, statement: &str) -> Outcome<String> {
        match self {
            Self::Sqlite => Err(Failure::new("a file answers nobody")),
            Self::Postgres(server) => {
                let url = with_database(server, name)?;
                let rows =
                    ["--quiet", "--no-psqlrc", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1"];
                process::output_of(Command::new("psql").args(rows).args(["--command", statement, &url]))
            }
            Self::Mysql(server) => {
                let mut command = mysql_command(&with_database(server, name)?, statement)?;
                process::output_of(command.args(["--batch", "--skip-column-names"]))
            }
        }
    }

    /// Removes what `new_database` made.
    pub(crate) fn drop_database(&self, name: &str) -> Outcome<()> {
        match self {
            Self::Sqlite => Ok(()),
            Self::Postgres(server) => psql(server, &format!("drop database {name} with (force)")),
            Self::Mysql(server) => mysql(server, &format!("drop database {name}")),
        }
    }
}

fn psql(server: &str, statement: &str) -> Outcome<()> {
    let arguments = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--command", statement, server];
    process::output_of(Command::new("psql").args(arguments)).map(drop)
}

fn mysql(server: &str, statement: &str) -> Outcome<()> {
    process::output_of(&mut mysql_command(server, statement)?).map(drop)
}

fn mysql_command(server: &str, statement: &str) -> Outcome<Command> {
    let target = Target::of_mysql(server).ok_or_else(|| {
        Failure::new(format!("{MYSQL} should be mysql://<user>:<password>@<host>:<port>/<database>"))
    })?;
    let program = process::find_program("mariadb").or_else(|| process::find_program("mysql"));
    let program = program.ok_or_else(|| Failure::new("neither `mariadb` nor `mysql` is on PATH"))?;
    let mut command = Command::new(program);
    command.args(["--no-defaults", "--protocol=tcp", "--host", &target.host, "--user", &target.user]);
    command.args(["--port", &target.port.to_string(), "--execute", statement]);
    let path = server.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    command.args(path.map(|(_, database)| database).filter(|database| !database.is_empty()));
    // Not an argument, which every user of the machine could read.
    command.env("MYSQL_PWD", target.password.unwrap_or_default());
    Ok(command)
}

pub(crate) fn with_database(server: &str, name: &str) -> Outcome<String> {
    let (place, parameters) = server.split_once('?').map_or((server, ""), |(place, rest)| (place, rest));
    let (place, _) = place
        .rsplit_once('/')
        .ok_or_else(|| Failure::new("the URL of a server should end in /<database>"))?;
    let mark = if parameters.is_empty() { "" } else { "?" };
    Ok(format!("{place}/{name}{mark}{parameters}"))
}

/// The same database, reached by another port of this machine.
pub(crate) fn at_port(url: &str, port: u16) -> Outcome<String> {
    let parts = url.split_once("://").and_then(|(scheme, rest)| {
        let (place, database) = rest.split_once('/')?;
        Some((scheme, place.rsplit_once('@').map_or("", |(login, _)| login), database))
    });
    let (scheme, login, database) = parts.ok_or_else(|| Failure::new("the URL has no host and database"))?;
    let at = if login.is_empty() { "" } else { "@" };
    Ok(format!("{scheme}://{login}{at}127.0.0.1:{port}/{database}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_port_changes_nothing_else() {
        let moved = at_port("mysql://app:x@db:3306/app?charset=utf8mb4", 7).ok();
        assert_eq!(moved.as_deref(), Some("mysql://app:x@127.0.0.1:7/app?charset=utf8mb4"));
        assert!(at_port("sqlite:var/app.db", 7).is_err());
    }

    #[test]
    fn a_database_of_its_own_keeps_user_place_and_parameters() {
        let url = with_database("postgres://app:x@db:5432/postgres?sslmode=require", "chaos_1").ok();
        assert_eq!(url.as_deref(), Some("postgres://app:x@db:5432/chaos_1?sslmode=require"));
        assert_eq!(
            with_database("postgres://app@db/postgres", "c").ok().as_deref(),
            Some("postgres://app@db/c")
        );
    }
}
