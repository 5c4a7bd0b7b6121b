//! The databases that the programs under test run on.

use std::path::Path;
use std::process::Command;

use crate::environment;
use crate::failure::{Failure, Outcome};
use crate::process;

const VARIABLE: &str = "TEST_POSTGRES_URL";

/// A kind of database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Server {
    /// A file of each run's own.
    Sqlite,
    /// A database of each run's own, on the server that `TEST_POSTGRES_URL` names.
    Postgres(String),
}

impl Server {
    /// SQLite, and PostgreSQL when there is one.
    pub(crate) fn all() -> Vec<Self> {
        let postgres = environment::variable(VARIABLE).map(Self::Postgres);
        if postgres.is_none() {
            println!("on SQLite only; set {VARIABLE} to run on PostgreSQL too");
        }
        [Self::Sqlite].into_iter().chain(postgres).collect()
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
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
        }
    }

    /// Removes what `new_database` made.
    pub(crate) fn drop_database(&self, name: &str) -> Outcome<()> {
        match self {
            Self::Sqlite => Ok(()),
            Self::Postgres(server) => psql(server, &format!("drop database {name} with (force)")),
        }
    }
}

fn psql(server: &str, statement: &str) -> Outcome<()> {
    let arguments = ["--quiet", "--no-psqlrc", "--set", "ON_ERROR_STOP=1", "--command", statement, server];
    process::output_of(Command::new("psql").args(arguments)).map(drop)
}

fn with_database(server: &str, name: &str) -> Outcome<String> {
    let (place, parameters) = server.split_once('?').map_or((server, ""), |(place, rest)| (place, rest));
    let (place, _) = place
        .rsplit_once('/')
        .ok_or_else(|| Failure::new(format!("{VARIABLE} should end in /<database>")))?;
    let mark = if parameters.is_empty() { "" } else { "?" };
    Ok(format!("{place}/{name}{mark}{parameters}"))
}

#[cfg(test)]
mod tests {
    use super::*;

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
