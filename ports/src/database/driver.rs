//! What an adapter of a database implements. Users of the database never see these.

use std::any::Any;
use std::fmt;

use async_trait::async_trait;

use super::migration::{MigrationReport, MigrationSet};
use super::position::Position;
use crate::error::PortResult;
use crate::module::ModuleName;
use crate::tenant::Scope;

/// Where a read transaction runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "a read runs on the primary or on a replica")]
pub enum ReadFrom {
    /// On the primary: sees everything that is committed.
    #[default]
    Primary,
    /// On a replica when there is one: may be a little behind, but never behind what the client itself wrote (`DB-14`).
    Replica,
}

/// How a transaction begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TxOptions {
    /// Whose data it may touch.
    pub scope: Scope,
    /// The module that it belongs to, when it is a module's.
    pub module: Option<ModuleName>,
    /// Where it runs, for reads.
    pub from: ReadFrom,
    /// What a read from a replica has to see.
    pub after: Option<Position>,
}

impl TxOptions {
    /// A transaction of a scope, on the primary.
    pub const fn new(scope: Scope) -> Self {
        Self { scope, module: None, from: ReadFrom::Primary, after: None }
    }

    /// The same, as a module's.
    #[must_use]
    pub const fn with_module(mut self, module: Option<ModuleName>) -> Self {
        self.module = module;
        self
    }

    /// The same, reading from there.
    #[must_use]
    pub const fn with_from(mut self, from: ReadFrom) -> Self {
        self.from = from;
        self
    }

    /// The same, where a read from a replica has to see everything up to this position.
    #[must_use]
    pub const fn with_after(mut self, after: Option<Position>) -> Self {
        self.after = after;
        self
    }
}

/// The adapter's side of [`Database`](super::Database), whose contract it keeps.
#[async_trait]
pub trait DatabaseDriver: fmt::Debug + Send + Sync + 'static {
    /// The name of the backend, such as `sqlite`.
    fn backend(&self) -> &'static str;

    /// Begins a transaction that the database itself holds read-only.
    async fn begin_read(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>>;

    /// Begins a transaction that may write.
    async fn begin_write(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>>;

    /// Applies what is pending, one runner at a time.
    async fn migrate(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport>;

    /// What `migrate` would apply, in its order.
    async fn pending_migrations(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>>;

    /// Asks the primary for a sign of life.
    async fn ping(&self) -> PortResult<()>;

    /// Waits a short, jittered moment before run number `run` (from 2) of a unit of work that met contention.
    async fn pause_before_rerun(&self, run: u32);

    /// Closes all connections.
    async fn close(&self);
}

/// An open transaction of an adapter. Dropping it rolls back.
#[async_trait]
pub trait TxDriver: Any + fmt::Debug + Send {
    /// The name of the backend, the same as its driver's.
    fn backend(&self) -> &'static str;

    /// Makes its writes durable and visible; tells a position from which on they can be read, where there are replicas.
    async fn commit(self: Box<Self>) -> PortResult<Option<Position>>;

    /// From which position on its writes can be read for certain, should the answer to its commit be lost; asked before
    /// the commit.
    fn position_in_doubt(&mut self) -> Option<Position> {
        self.inner_mut()?.position_in_doubt()
    }

    /// Undoes its writes.
    async fn rollback(self: Box<Self>) -> PortResult<()>;

    /// The transaction inside, for a driver that wraps another one; adapters keep the default.
    fn inner_mut(&mut self) -> Option<&mut dyn TxDriver> {
        None
    }
}
