//! What a cancelled transaction could have left behind, recycled on purpose: the guard that F21 must miss.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dolmen::ports::{DatabaseDriver, MigrationReport, TxDriver, TxOptions};
use dolmen::{MigrationSet, PortResult, Position};
use dolmen_sql::SqlDatabase;

/// A driver that hands an unfinished transaction to whoever begins the next one, as a pool does that only looks at
/// whether the connection is still there.
#[derive(Debug)]
pub(super) struct Recycling {
    inner: SqlDatabase,
    left: Slot,
}

type Slot = Arc<Mutex<Option<Box<dyn TxDriver>>>>;

impl Recycling {
    pub(super) fn new(inner: SqlDatabase) -> Self {
        Self { inner, left: Slot::default() }
    }

    fn left_over(&self) -> Option<Box<dyn TxDriver>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn wrap(&self, inner: Box<dyn TxDriver>) -> Box<dyn TxDriver> {
        Box::new(RecycledTx { inner: Some(inner), left: Arc::clone(&self.left) })
    }
}

#[async_trait]
impl DatabaseDriver for Recycling {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn begin_read(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        match self.left_over() {
            Some(left) => Ok(self.wrap(left)),
            None => Ok(self.wrap(self.inner.begin_read(options).await?)),
        }
    }

    async fn begin_write(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        match self.left_over() {
            Some(left) => Ok(self.wrap(left)),
            None => Ok(self.wrap(self.inner.begin_write(options).await?)),
        }
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

struct RecycledTx {
    inner: Option<Box<dyn TxDriver>>,
    left: Slot,
}

#[async_trait]
impl TxDriver for RecycledTx {
    fn backend(&self) -> &'static str {
        self.inner.as_ref().map_or("", |inner| inner.backend())
    }

    async fn commit(mut self: Box<Self>) -> PortResult<Option<Position>> {
        match self.inner.take() {
            Some(inner) => inner.commit().await,
            None => Ok(None),
        }
    }

    async fn rollback(mut self: Box<Self>) -> PortResult<()> {
        match self.inner.take() {
            Some(inner) => inner.rollback().await,
            None => Ok(()),
        }
    }

    fn inner_mut(&mut self) -> Option<&mut dyn TxDriver> {
        match &mut self.inner {
            Some(inner) => Some(&mut **inner),
            None => None,
        }
    }
}

impl Drop for RecycledTx {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            *self.left.lock().unwrap_or_else(PoisonError::into_inner) = Some(inner);
        }
    }
}

impl fmt::Debug for RecycledTx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("recycled transaction")
    }
}
