//! A database that has a bad day: it fails where and as often as a test says.
//!
//! # Examples
//! A commit that meets another transaction twice runs three times, and its effect is there once:
//! ```
//! use dolmen_ports::{Database, ErrorKind};
//! use dolmen_testkit::fakes::{MemoryDatabase, MemoryTable};
//! use dolmen_testkit::faults::{Faults, FaultyDatabase, Step};
//! const ORDERS: MemoryTable<u32, ()> = MemoryTable::new("shop_order");
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let faults = Faults::new();
//! let database = Database::new(FaultyDatabase::new(MemoryDatabase::new(), faults.clone()));
//! faults.fail_next(Step::Commit, 2, ErrorKind::Contention);
//! database.system().write(async |tx| ORDERS.insert(tx, 1, ())).await.unwrap();
//! assert_eq!(faults.left(Step::Commit), 0);
//! # });
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use dolmen_ports::{
    DatabaseDriver, ErrorKind, MigrationReport, MigrationSet, PortError, PortResult, Position, TxDriver,
    TxOptions,
};

/// Where a database can fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Step {
    /// No transaction can be had, for reading or for writing.
    Begin,
    /// The commit fails, and nothing was committed.
    Commit,
    /// The commit takes place, and its answer is lost: the caller cannot know.
    AnswerToCommit,
}

/// The faults to come. A clone is the same plan.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    plan: Arc<Mutex<BTreeMap<Step, Fault>>>,
}

#[derive(Debug, Clone, Copy)]
struct Fault {
    left: u32,
    kind: ErrorKind,
}

impl Faults {
    /// No faults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets a step fail the next `count` times with this kind, in place of what was planned for the step before.
    pub fn fail_next(&self, step: Step, count: u32, kind: ErrorKind) {
        self.plan().insert(step, Fault { left: count, kind });
    }

    /// How many faults of a step are still to come.
    pub fn left(&self, step: Step) -> u32 {
        self.plan().get(&step).map_or(0, |fault| fault.left)
    }

    fn check(&self, step: Step, operation: &'static str) -> PortResult<()> {
        match self.plan().get_mut(&step) {
            Some(fault) if fault.left > 0 => {
                fault.left -= 1;
                Err(PortError::new(fault.kind, "database", operation)
                    .with_detail("the test asked for this failure"))
            }
            _ => Ok(()),
        }
    }

    fn plan(&self) -> MutexGuard<'_, BTreeMap<Step, Fault>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A driver that passes everything on to another one, except for the planned [`Faults`].
#[derive(Debug)]
pub struct FaultyDatabase<D> {
    inner: D,
    faults: Faults,
}

impl<D: DatabaseDriver> FaultyDatabase<D> {
    /// Wraps the driver of a fake or of an adapter.
    pub fn new(inner: D, faults: Faults) -> Self {
        Self { inner, faults }
    }

    fn wrap(&self, inner: Box<dyn TxDriver>) -> Box<dyn TxDriver> {
        Box::new(FaultyTx { inner, faults: self.faults.clone() })
    }
}

#[async_trait]
impl<D: DatabaseDriver> DatabaseDriver for FaultyDatabase<D> {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn begin_read(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.faults.check(Step::Begin, "begin a read")?;
        // A read ends without a commit, so nothing of it is left to fail.
        self.inner.begin_read(options).await
    }

    async fn begin_write(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.faults.check(Step::Begin, "begin a write")?;
        Ok(self.wrap(self.inner.begin_write(options).await?))
    }

    async fn migrate(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
        self.inner.migrate(sets).await
    }

    async fn pending_migrations(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
        self.inner.pending_migrations(sets).await
    }

    async fn ping(&self) -> PortResult<()> {
        self.inner.ping().await
    }

    async fn pause_before_rerun(&self, run: u32) {
        self.inner.pause_before_rerun(run).await;
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

/// A transaction whose commit may fail.
#[derive(Debug)]
struct FaultyTx {
    inner: Box<dyn TxDriver>,
    faults: Faults,
}

#[async_trait]
impl TxDriver for FaultyTx {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn commit(self: Box<Self>) -> PortResult<Option<Position>> {
        if let Err(error) = self.faults.check(Step::Commit, "commit") {
            // The planned error is the one to report; a transaction that cannot roll back is dropped.
            drop(self.inner.rollback().await);
            return Err(error);
        }
        let position = self.inner.commit().await?;
        self.faults.check(Step::AnswerToCommit, "commit")?;
        Ok(position)
    }

    async fn rollback(self: Box<Self>) -> PortResult<()> {
        self.inner.rollback().await
    }

    fn inner_mut(&mut self) -> Option<&mut dyn TxDriver> {
        Some(&mut *self.inner)
    }
}
