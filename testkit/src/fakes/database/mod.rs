//! A database in memory: snapshots for readers, one writer at a time, all or nothing.

mod migrations;
mod table;
mod tx;
mod world;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    Database, DatabaseDriver, ErrorKind, MigrationReport, MigrationSet, PortError, PortResult, Position,
    ReadFrom, TxDriver, TxOptions,
};
pub use table::MemoryTable;
pub use tx::MemoryTx;

use self::migrations::MigrationLog;
use self::world::World;
use super::clock::ManualClock;

/// The name of the backend of every fake that belongs to a transaction.
pub(super) const BACKEND: &str = "memory";

/// Which database its positions belong to.
const SYSTEM: u64 = 0;

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
    committed: RwLock<State>,
    /// What its replica has, when it has one.
    replica: Option<RwLock<State>>,
    writer: Arc<tokio::sync::Mutex<()>>,
    migrations: MigrationLog,
    closed: AtomicBool,
    clock: ManualClock,
    /// Who is told of commits that enqueued jobs. Weak, because it holds the database itself.
    after_commit: OnceLock<Weak<dyn AfterCommit>>,
}

/// Is told of commits that enqueued jobs.
#[async_trait]
pub(crate) trait AfterCommit: fmt::Debug + Send + Sync {
    /// A transaction was committed; its caller waits for the end of this.
    async fn committed(&self);
}

/// What is committed, and how many commits that was.
#[derive(Debug, Clone, Default)]
struct State {
    world: World,
    commits: u64,
}

impl State {
    fn position(&self) -> Position {
        Position::Log { system: SYSTEM, timeline: 1, offset: self.commits }
    }
}

impl Shared {
    fn state(&self) -> State {
        self.committed.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn snapshot(&self) -> World {
        self.state().world
    }

    /// The state for a read that may go to the replica.
    fn state_for(&self, options: TxOptions) -> State {
        let replica = self.replica.as_ref().filter(|_| options.from == ReadFrom::Replica);
        let replica = replica.map(|state| state.read().unwrap_or_else(PoisonError::into_inner).clone());
        let has_it = |state: &State| {
            options.after.is_none_or(|after| match after {
                Position::Log { system: SYSTEM, offset, .. } => state.commits >= offset,
                _ => false,
            })
        };
        replica.filter(has_it).unwrap_or_else(|| self.state())
    }

    /// The position of the next commit where there is a replica.
    fn next_position(&self) -> Option<Position> {
        let State { world, commits } = self.state();
        self.replica.as_ref().map(|_| State { world, commits: commits + 1 }.position())
    }

    /// Tells the position of the commit where there is a replica.
    fn commit(&self, world: World) -> Option<Position> {
        let mut committed = self.committed.write().unwrap_or_else(PoisonError::into_inner);
        *committed = State { world, commits: committed.commits + 1 };
        self.replica.as_ref().map(|_| committed.position())
    }

    async fn tell_of_commit(&self) {
        if let Some(after_commit) = self.after_commit.get().and_then(Weak::upgrade) {
            after_commit.committed().await;
        }
    }
}

impl MemoryDatabase {
    /// An empty database with a clock of its own.
    pub fn new() -> Self {
        Self::with_clock(ManualClock::new())
    }

    /// An empty database whose time is `clock`.
    pub fn with_clock(clock: ManualClock) -> Self {
        Self::with(clock, None)
    }

    /// An empty database with a replica that is behind until [`MemoryDatabase::catch_up`] is called: for tests of code
    /// that reads with [`ReadFrom::Replica`].
    ///
    /// # Examples
    /// ```
    /// use dolmen_ports::{PortResult, ReadFrom};
    /// use dolmen_testkit::fakes::{MemoryDatabase, MemoryTable};
    /// const ORDERS: MemoryTable<u32, ()> = MemoryTable::new("shop_order");
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let memory = MemoryDatabase::with_replica();
    /// let database = memory.database();
    /// database.system().write(async |tx| ORDERS.insert(tx, 1, ())).await.unwrap();
    /// let see = || database.system().read_from(ReadFrom::Replica, async |tx| ORDERS.get(tx, &1));
    /// assert_eq!(see().await.unwrap(), None);
    /// memory.catch_up();
    /// assert_eq!(see().await.unwrap(), Some(()));
    /// # });
    /// ```
    pub fn with_replica() -> Self {
        Self::with(ManualClock::new(), Some(RwLock::default()))
    }

    /// Lets the replica apply everything that is committed.
    pub fn catch_up(&self) {
        if let Some(replica) = &self.shared.replica {
            *replica.write().unwrap_or_else(PoisonError::into_inner) = self.shared.state();
        }
    }

    fn with(clock: ManualClock, replica: Option<RwLock<State>>) -> Self {
        Self {
            shared: Arc::new(Shared {
                committed: RwLock::default(),
                replica,
                writer: Arc::default(),
                migrations: MigrationLog::default(),
                closed: AtomicBool::new(false),
                clock,
                after_commit: OnceLock::new(),
            }),
        }
    }

    /// Tells `after_commit` of each commit that enqueued jobs; the first one that asks for it.
    pub(crate) fn after_commits<A: AfterCommit + 'static>(&self, after_commit: &Arc<A>) {
        let after_commit: Weak<A> = Arc::downgrade(after_commit);
        self.shared.after_commit.get_or_init(|| after_commit);
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

    async fn begin_read(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.check_open("begin a read")?;
        Ok(Box::new(MemoryTx::reader(self.shared.state_for(options).world)))
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
