//! A database in memory: snapshots for readers, one writer at a time, all or nothing.

mod migrations;
mod table;
mod tx;
mod world;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    Database, DatabaseDriver, ErrorKind, MigrationReport, MigrationSet, PortError, PortResult, TxDriver,
    TxOptions,
};
pub use table::MemoryTable;
pub use tx::MemoryTx;

use self::migrations::MigrationLog;
use self::world::World;
use super::clock::ManualClock;

/// The name of the backend of every fake that belongs to a transaction.
pub(super) const BACKEND: &str = "memory";

/// How long a write waits for the one before it; a test that runs into this has a write inside a write.
const WRITER_PATIENCE: Duration = Duration::from_secs(5);

/// A database in memory, for tests. A clone is the same database.
///
/// Tables come into being when a [`MemoryTable`] first writes to them. A read transaction sees the state at its beginning;
/// a write transaction waits for the one before it, as on SQLite, and becomes visible as a whole when it commits.
///
/// # Cancel safety
/// Dropping a transaction, or the future that holds it, at any point leaves no trace.
#[derive(Debug, Clone)]
pub struct MemoryDatabase {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    committed: RwLock<World>,
    writer: Arc<tokio::sync::Mutex<()>>,
    migrations: MigrationLog,
    closed: AtomicBool,
    clock: ManualClock,
}

impl Shared {
    fn snapshot(&self) -> World {
        self.committed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn commit(&self, world: World) {
        *self.committed.write().unwrap_or_else(PoisonError::into_inner) = world;
    }
}

impl MemoryDatabase {
    /// An empty database with a clock of its own.
    pub fn new() -> Self {
        Self::with_clock(ManualClock::new())
    }

    /// An empty database whose time is `clock`.
    pub fn with_clock(clock: ManualClock) -> Self {
        Self {
            shared: Arc::new(Shared {
                committed: RwLock::default(),
                writer: Arc::default(),
                migrations: MigrationLog::default(),
                closed: AtomicBool::new(false),
                clock,
            }),
        }
    }

    /// The database's clock: leases, delays and ages of jobs are measured with it.
    pub fn clock(&self) -> &ManualClock {
        &self.shared.clock
    }

    /// The portable handle, as use cases take it.
    pub fn database(&self) -> Database {
        Database::new(self.clone())
    }

    fn check_open(&self, operation: &'static str) -> PortResult<()> {
        if self.shared.closed.load(Ordering::SeqCst) {
            return Err(PortError::new(ErrorKind::Unavailable, "database", operation)
                .with_detail("the database is closed"));
        }
        Ok(())
    }
}

impl Default for MemoryDatabase {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl DatabaseDriver for MemoryDatabase {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    async fn begin_read(&self, _: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.check_open("begin a read")?;
        Ok(Box::new(MemoryTx::reader(self.shared.snapshot())))
    }

    async fn begin_write(&self, _: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.check_open("begin a write")?;
        let turn = Arc::clone(&self.shared.writer).lock_owned();
        let turn = tokio::time::timeout(WRITER_PATIENCE, turn).await.map_err(|_| {
            PortError::new(ErrorKind::Timeout, "database", "begin a write").with_detail(format!(
                "another write has been open for {WRITER_PATIENCE:?}; a write inside a write waits for itself"
            ))
        })?;
        self.check_open("begin a write")?;
        Ok(Box::new(MemoryTx::writer(self.shared.snapshot(), Arc::clone(&self.shared), turn)))
    }

    async fn migrate(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
        self.check_open("migrate")?;
        self.shared.migrations.apply(sets)
    }

    async fn pending_migrations(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
        self.check_open("list pending migrations")?;
        self.shared.migrations.pending(sets)
    }

    async fn ping(&self) -> PortResult<()> {
        self.check_open("ping")
    }

    async fn pause_before_rerun(&self, _: u32) {
        tokio::task::yield_now().await;
    }

    async fn close(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
    }
}
