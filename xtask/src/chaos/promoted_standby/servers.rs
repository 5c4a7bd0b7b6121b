//! The servers of one promotion.

use crate::database::Server;
use crate::failure::{Failure, Outcome};
use crate::test::servers::{Engine, OwnServer};

/// A primary, and who takes its place.
#[derive(Debug)]
pub(super) struct Servers {
    primary: OwnServer,
    /// The one that is promoted.
    next: OwnServer,
    /// The one that goes on reading, where the primary is killed.
    other: Option<OwnServer>,
}

impl Servers {
    /// Starts them. What is acknowledged is on all of them when one is promoted.
    pub(super) fn start(engine: Engine) -> Outcome<Self> {
        match engine {
            Engine::Postgres => {
                let primary = OwnServer::start(engine, &["synchronous_commit=on"])?;
                let (next, other) = (primary.start_standby(&[])?, primary.start_standby(&[])?);
                let server = Server::of(&primary);
                server.tell("alter system set synchronous_standby_names = '2 (*)'")?;
                server.tell("select pg_reload_conf()")?;
                Ok(Self { primary, next, other: Some(other) })
            }
            Engine::MariaDb => {
                let log = ["--log-bin=log", "--binlog-format=row", "--log-slave-updates=1"];
                let primary = OwnServer::start(engine, &[&["--server-id=1"][..], &log].concat())?;
                let next = ["--server-id=2", "--read-only=1"];
                let next = OwnServer::start(engine, &[&next[..], &log].concat())?;
                Server::of(&next).tell(&format!(
                    "change master to master_host = '127.0.0.1', master_port = {}, master_user = 'root', \
                     master_use_gtid = slave_pos; start slave",
                    primary.port()?
                ))?;
                let server = Server::of(&primary);
                // An ordinary user: those who administrate a server write in spite of `read_only`.
                server.tell("create user app@'%'; grant all on *.* to app@'%' with grant option")?;
                server.tell("revoke super, read_only admin on *.* from app@'%'")?;
                Ok(Self { primary, next, other: None })
            }
        }
    }

    /// The primary as the app's user reaches it.
    pub(super) fn for_app(&self) -> Server {
        match Server::of(&self.primary) {
            Server::Mysql(url) => Server::Mysql(url.replacen("root@", "app@", 1)),
            other => other,
        }
    }

    /// The primary is one no more: PostgreSQL's is killed, MariaDB's goes on with all its connections and only reads. Where
    /// the name points to meanwhile.
    pub(super) fn demote(&self) -> Outcome<String> {
        if let Some(other) = &self.other {
            self.primary.kill()?;
            return Server::of(other).address();
        }
        Server::of(&self.primary).tell("set global read_only = 1")?;
        Server::of(&self.primary).address()
    }

    /// Makes the next one the primary; where it listens.
    pub(super) fn promote(&self) -> Outcome<String> {
        let next = Server::of(&self.next);
        if self.next.engine() == Engine::Postgres {
            next.tell("select pg_promote()")?;
            return next.address();
        }
        let written = Server::of(&self.primary).ask("mysql", "select @@gtid_binlog_pos")?;
        let waited = next.ask("mysql", &format!("select master_gtid_wait('{}', 30)", written.trim()))?;
        if waited.trim() != "0" {
            return Err(Failure::new("the replica did not come as far as the primary within 30 s"));
        }
        next.tell("stop slave; set global read_only = 0")?;
        next.address()
    }
}
