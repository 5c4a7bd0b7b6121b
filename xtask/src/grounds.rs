//! The databases of chaos and the bench: those that variables name, or servers of ours.

use clap::ValueEnum;

use crate::database::Server;
use crate::failure::Outcome;
use crate::test::servers::{Engine, OwnServer};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Sqlite,
    Postgres,
    Mysql,
}

/// What becomes of a commit of our own servers when the power fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commits {
    /// It may be lost: nobody measures how long it takes.
    Volatile,
    /// It is kept, as in production.
    Durable,
}

impl Commits {
    fn settings(self, engine: Engine) -> &'static [&'static str] {
        match (self, engine) {
            (Self::Volatile, _) => &[],
            (Self::Durable, Engine::Postgres) => {
                // And it counts the statements that it gets, as one would have it do in production.
                &[
                    "fsync=on",
                    "synchronous_commit=on",
                    "full_page_writes=on",
                    "shared_preload_libraries=pg_stat_statements",
                ]
            }
            (Self::Durable, Engine::MariaDb) => {
                &["--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=1"]
            }
        }
    }
}

/// The databases of a run; dropping them ends those that are ours.
#[derive(Debug)]
pub(crate) struct Grounds {
    servers: Vec<Server>,
    _own: Vec<OwnServer>,
}

impl Grounds {
    /// One of each kind, or of the kinds that are wanted: the one that a variable names, or one of ours.
    pub(crate) fn find_or_start(wanted: &[Kind], commits: Commits) -> Outcome<Self> {
        let (mut servers, mut own) = (Vec::new(), Vec::new());
        for kind in Kind::value_variants() {
            if !wanted.is_empty() && !wanted.contains(kind) {
                continue;
            }
            let (given, engine) = match kind {
                Kind::Sqlite => (Some(Server::Sqlite), None),
                Kind::Postgres => (Server::given_postgres(), Some(Engine::Postgres)),
                Kind::Mysql => (Server::given_mysql(), Some(Engine::MariaDb)),
            };
            match (given, engine) {
                (None, Some(engine)) => {
                    let started = OwnServer::start(engine, commits.settings(engine))?;
                    servers.push(Server::of(&started));
                    own.push(started);
                }
                (given, _) => servers.extend(given),
            }
        }
        Ok(Self { servers, _own: own })
    }

    pub(crate) fn servers(&self) -> &[Server] {
        &self.servers
    }
}
