//! One SQL database: scopes, transactions, migrations.
//!
//! A transaction is opened through a scope, so that whose data it may touch is known when it begins:
//! `database.tenant(id)` or `database.system()`.

mod client;
mod driver;
mod markers;
mod migration;
mod position;
mod scoped;
mod tx;

use std::sync::Arc;

pub use client::ClientPosition;
pub use driver::{DatabaseDriver, ReadFrom, TxDriver, TxOptions};
pub use markers::{MigrationMarkers, UnknownMarker};
pub use migration::{Dialect, Migration, MigrationReport, MigrationSet};
pub use position::{ParsePositionError, Position};
pub use scoped::{ScopedDatabase, TxFn, TxFnOnce};
pub use tx::{ReadTx, WriteTx};

use crate::error::PortResult;
use crate::module::ModuleName;
use crate::tenant::{Scope, TenantId};

/// The database, as every part of the program sees it; cheap to clone.
///
/// # Contract
/// - `DB-1` What a committed transaction wrote is durable and visible to every transaction that begins later on the
///   primary.
/// - `DB-2` A transaction that was rolled back, dropped or cancelled at any point leaves no trace, and the next user of
///   its connection finds a clean one.
/// - `DB-3` A read transaction cannot write: the types forbid it, and the database refuses it too.
/// - `DB-4` A read transaction sees one state of the data from its first statement on that is committed; it never sees
///   what is not committed.
/// - `DB-5` Two write transactions never overwrite each other's changes to one row unseen, if they read it for update
///   or compare a version.
/// - `DB-6` `write` reruns its closure after `Contention`, at most [`ScopedDatabase::MAX_RUNS`] times in all.
/// - `DB-7` A handle of another backend gives `WrongBackend`.
/// - `DB-8` A transaction knows its scope and its module from its first statement to its last.
/// - `DB-9` Hooks given to [`WriteTx::after_commit`] run once after a commit, and never otherwise.
/// - `DB-10` What was stored comes back equal, and is compared exactly: text with its case, accents and spaces, instants to
///   the microsecond from year 1 to year 9999, and nothing apart from every empty value.
/// - `DB-11` A row that breaks a unique index gives `AlreadyExists`; one that breaks a foreign key gives `Conflict`.
/// - `DB-12` Migrations are applied once, in order, also with several runners at once; each as a whole or not at all where
///   the database can roll a change of the schema back, else the next run goes on after what is committed, or says what to
///   mend. An older program finds nothing to do on a newer schema; `Conflict` when a migration that it does not know is
///   marked as breaking it.
/// - `DB-13` After `close`, calls give `Unavailable`.
/// - `DB-14` Within [`ClientPosition::follow`], a read from a replica sees everything that the client committed before, on
///   whichever instance it did, and everything up to the position that it sent; a replica that has not come so far leaves
///   the read to the primary.
#[derive(Debug, Clone)]
pub struct Database {
    driver: Arc<dyn DatabaseDriver>,
    module: Option<ModuleName>,
}

impl Database {
    /// The portable handle of an adapter's driver.
    pub fn new(driver: impl DatabaseDriver) -> Self {
        Self::from_driver(Arc::new(driver))
    }

    /// The portable handle of a shared driver.
    pub fn from_driver(driver: Arc<dyn DatabaseDriver>) -> Self {
        Self { driver, module: None }
    }

    /// The name of the adapter's backend, such as `sqlite`.
    pub fn backend(&self) -> &'static str {
        self.driver.backend()
    }

    /// The same database, with its transactions marked as those of a module.
    #[must_use]
    pub fn for_module(&self, module: ModuleName) -> Self {
        Self { driver: Arc::clone(&self.driver), module: Some(module) }
    }

    /// Transactions that touch one tenant's data.
    pub fn tenant(&self, tenant: TenantId) -> ScopedDatabase<'_> {
        self.scope(Scope::Tenant(tenant))
    }

    /// Transactions over all tenants: sign-in, schedules, operations.
    pub fn system(&self) -> ScopedDatabase<'_> {
        self.scope(Scope::System)
    }

    /// Transactions of a scope that was carried here, such as a job's.
    pub fn scope(&self, scope: Scope) -> ScopedDatabase<'_> {
        ScopedDatabase::new(&*self.driver, scope, self.module)
    }

    /// Brings the schema up to date. Only the role `migrate`, or `all` outside production, calls this.
    ///
    /// # Errors
    /// `Conflict` when an applied migration was edited or is out of order; `Timeout` when another run holds the lock.
    pub async fn migrate(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
        self.driver.migrate(sets).await
    }

    /// The migrations that are not applied yet, as `module/0001_name`, in the order in which they would run.
    pub async fn pending_migrations(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
        self.driver.pending_migrations(sets).await
    }

    /// Asks the primary for a sign of life.
    pub async fn ping(&self) -> PortResult<()> {
        self.driver.ping().await
    }

    /// Closes all connections; later calls give `Unavailable`.
    pub async fn close(&self) {
        self.driver.close().await;
    }
}
