//! The databases on which those faults are played that need no server to themselves.

use clap::ValueEnum;

use crate::database::Server;
use crate::failure::Outcome;
use crate::test::servers::{Engine, OwnServer};

/// A kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
    Mysql,
}

/// The databases of a run; dropping them ends those that are ours.
#[derive(Debug)]
pub(super) struct Grounds {
    servers: Vec<Server>,
    _own: Vec<OwnServer>,
}

impl Grounds {
    /// One of each kind, or of the kinds that are wanted: the one that a variable names, or one of ours.
    pub(super) fn find_or_start(wanted: &[Kind]) -> Outcome<Self> {
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
                    let started = OwnServer::start(engine, &[])?;
                    servers.push(Server::of(&started));
                    own.push(started);
                }
                (given, _) => servers.extend(given),
            }
        }
        Ok(Self { servers, _own: own })
    }

    pub(super) fn servers(&self) -> &[Server] {
        &self.servers
    }
}
