//! The seam between the adapter and each driver of sqlx. No other part of the crate knows which database it is on.

#[cfg(any(feature = "mysql", feature = "postgres"))]
mod checkout;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod gate;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod lent;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod limits;
#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
#[cfg_attr(
    not(any(test, feature = "mysql", feature = "postgres")),
    expect(dead_code, reason = "SQLite's pool keeps nothing: its question is no round trip")
)]
mod pool;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod settling;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;

use std::fmt;

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult};

use crate::native::Native;
use crate::statement::{Row, Value};

/// What a session is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// A transaction that the database holds read-only, with one state of the data.
    Read,
    /// A transaction that may write.
    Write,
    /// Single statements, each committed by itself.
    Single,
}

/// How far a server's log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LogPosition {
    pub(crate) timeline: u32,
    pub(crate) offset: u64,
}

/// Where a server stands in the history of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Which database it is; the same on a primary and its replicas.
    pub(crate) system: u64,
    pub(crate) timeline: u32,
    /// What it has written, or applied as a replica.
    pub(crate) offset: u64,
}

/// A database: hands out sessions.
#[async_trait]
pub(crate) trait Backend: fmt::Debug + Send + Sync {
    fn dialect(&self) -> Dialect;

    /// Whether a pooler in transaction mode stands before the server.
    fn is_pooled(&self) -> bool {
        false
    }

    /// Opens a session from the pool.
    async fn open(&self, mode: Mode) -> PortResult<Box<dyn Session>>;

    /// Opens a read session on a replica that has applied everything up to `offset`; nothing when it has not.
    async fn open_after(&self, offset: u64) -> PortResult<Option<Box<dyn Session>>> {
        let _ = offset;
        Ok(None)
    }

    /// Where the server stands that a session of single statements is connected to.
    async fn standing(&self, session: &mut dyn Session, is_primary: bool) -> PortResult<Standing> {
        let _ = (session, is_primary);
        Err(PortError::new(ErrorKind::Unsupported, "database", "look at a replica")
            .with_detail("this database has no replicas"))
    }

    /// Opens a session for single statements on a connection of its own, bound to the calling runtime.
    async fn open_apart(&self) -> PortResult<Box<dyn Session>>;

    /// Begins to hear of jobs that any process commits, by notifications of a channel where the server has them; nothing where
    /// that cannot be done.
    async fn listen(&self, channel: &'static str) -> PortResult<Option<Box<dyn Listener>>> {
        let _ = channel;
        Ok(None)
    }

    /// Takes the lock that lets one process migrate at a time, in a session that may write.
    async fn lock_migrations(&self, session: &mut dyn Session) -> PortResult<bool>;

    async fn close(&self);
}

/// A hint without a sender and without queues.
#[cfg(any(feature = "mysql", feature = "sqlite"))]
pub(crate) const OF_ANY_QUEUE: &str = " ";

/// Hears hints of new jobs.
#[async_trait]
pub(crate) trait Listener: fmt::Debug + Send {
    /// Waits for the next hint: who sent it, a space, and the queues, or none for all. Fails when hints do not come through any
    /// more.
    async fn hear(&mut self) -> PortResult<String>;
}

/// A connection in use. Dropped without `commit` or `rollback` it is closed, never lent again.
#[async_trait]
pub(crate) trait Session: fmt::Debug + Send {
    fn dialect(&self) -> Dialect;

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64>;

    async fn fetch(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<Row>>;

    /// Runs the statements of a migration.
    async fn run_script(&mut self, script: &'static str) -> PortResult<()>;

    /// Commits and gives the connection back. `wants_position` asks how far the log goes now, which costs no round trip;
    /// the answer is nothing where the server has no such log.
    async fn commit(self: Box<Self>, wants_position: bool) -> PortResult<Option<LogPosition>>;

    /// Rolls back and gives the connection back; after single statements, only gives it back.
    async fn rollback(self: Box<Self>) -> PortResult<()>;

    fn native(&mut self) -> Native<'_>;

    /// Whether the transaction can still be committed, after native statements that nobody here has seen.
    async fn is_open(&mut self) -> PortResult<bool>;
}
