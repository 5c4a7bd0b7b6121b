//! A database with one flaw.

use async_trait::async_trait;
use dolmen_ports::{
    DatabaseDriver, ErrorKind, MigrationReport, MigrationSet, PortResult, Position, TxDriver, TxOptions,
};
use futures_util::FutureExt as _;

use crate::fakes::MemoryDatabase;

/// What is wrong with a [`BrokenDatabase`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    LosesCommits,
    CommitsRollbacks,
    /// What `sqlx#4385` does: a transaction that was dropped lives on in the pool, and the next user commits it.
    CommitsDrops,
    CommitsEachStatement,
    WritesInReads,
    ForgetsPositions,
    TellsNoPositions,
    SeesWhatComesLater,
    StaysOpen,
    TakesEditedMigrations,
    RunsOnAnySchema,
    AppliesMigrationsAgain,
}

/// The fake with one flaw.
#[derive(Debug)]
pub(super) struct BrokenDatabase {
    pub(super) flaw: Flaw,
    pub(super) inner: MemoryDatabase,
}

impl BrokenDatabase {
    fn wrap(&self, inner: Box<dyn TxDriver>, options: TxOptions, writes: bool) -> Box<dyn TxDriver> {
        let (flaw, database) = (self.flaw, self.inner.clone());
        Box::new(BrokenTx { flaw, database, options, writes, inner: Some(inner) })
    }
}

#[async_trait]
impl DatabaseDriver for BrokenDatabase {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn begin_read(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        let inner = match self.flaw {
            Flaw::WritesInReads => self.inner.begin_write(options).await?,
            Flaw::ForgetsPositions => self.inner.begin_read(options.with_after(None)).await?,
            _ => self.inner.begin_read(options).await?,
        };
        Ok(self.wrap(inner, options, false))
    }

    async fn begin_write(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        Ok(self.wrap(self.inner.begin_write(options).await?, options, true))
    }

    async fn migrate(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
        match self.inner.migrate(sets).await {
            Err(error) if self.flaw == Flaw::TakesEditedMigrations && error.kind() == ErrorKind::Conflict => {
                Ok(MigrationReport::default())
            }
            Ok(_) if self.flaw == Flaw::AppliesMigrationsAgain => MemoryDatabase::new().migrate(sets).await,
            result => result,
        }
    }

    async fn pending_migrations(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
        match self.inner.pending_migrations(sets).await {
            Err(error) if self.flaw == Flaw::RunsOnAnySchema && error.kind() == ErrorKind::Conflict => {
                Ok(Vec::new())
            }
            result => result,
        }
    }

    async fn ping(&self) -> PortResult<()> {
        self.inner.ping().await
    }

    async fn pause_before_rerun(&self, run: u32) {
        self.inner.pause_before_rerun(run).await;
    }

    async fn close(&self) {
        if self.flaw != Flaw::StaysOpen {
            self.inner.close().await;
        }
    }
}

/// A transaction with the flaw of its database.
#[derive(Debug)]
struct BrokenTx {
    flaw: Flaw,
    database: MemoryDatabase,
    options: TxOptions,
    writes: bool,
    inner: Option<Box<dyn TxDriver>>,
}

impl BrokenTx {
    /// Ends the inner transaction and begins another one, between two statements. The fake never waits here.
    fn begin_again(&mut self) -> Option<()> {
        self.inner.take()?.commit().now_or_never()?.ok()?;
        let begun = if self.writes {
            self.database.begin_write(self.options).now_or_never()
        } else {
            self.database.begin_read(self.options).now_or_never()
        };
        self.inner = Some(begun?.ok()?);
        Some(())
    }
}

impl Drop for BrokenTx {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take()
            && self.flaw == Flaw::CommitsDrops
        {
            drop(inner.commit().now_or_never());
        }
    }
}

#[async_trait]
impl TxDriver for BrokenTx {
    fn backend(&self) -> &'static str {
        self.database.backend()
    }

    async fn commit(mut self: Box<Self>) -> PortResult<Option<Position>> {
        match self.inner.take() {
            Some(inner) if self.flaw == Flaw::LosesCommits => inner.rollback().await.map(|()| None),
            Some(inner) => {
                inner.commit().await.map(|told| told.filter(|_| self.flaw != Flaw::TellsNoPositions))
            }
            None => Ok(None),
        }
    }

    async fn rollback(mut self: Box<Self>) -> PortResult<()> {
        match self.inner.take() {
            Some(inner) if self.flaw == Flaw::CommitsRollbacks => inner.commit().await.map(drop),
            Some(inner) => inner.rollback().await,
            None => Ok(()),
        }
    }

    fn inner_mut(&mut self) -> Option<&mut dyn TxDriver> {
        let again = match self.flaw {
            Flaw::CommitsEachStatement => self.writes,
            Flaw::SeesWhatComesLater => !self.writes,
            _ => false,
        };
        if again {
            self.begin_again()?;
        }
        self.inner.as_deref_mut()
    }
}
