//! A database that outlives the application, so that a test can look into it afterwards.

use async_trait::async_trait;
use dolmen::ports::{DatabaseDriver, MigrationReport, TxDriver, TxOptions};
use dolmen::{MigrationSet, PortResult};
use dolmen_testkit::fakes::MemoryDatabase;

/// Forwards everything but `close`.
#[derive(Debug)]
pub(crate) struct OpenDatabase(pub(crate) MemoryDatabase);

#[async_trait]
impl DatabaseDriver for OpenDatabase {
    fn backend(&self) -> &'static str {
        self.0.backend()
    }

    async fn begin_read(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.0.begin_read(options).await
    }

    async fn begin_write(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        self.0.begin_write(options).await
    }

    async fn migrate(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
        self.0.migrate(sets).await
    }

    async fn pending_migrations(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
        self.0.pending_migrations(sets).await
    }

    async fn ping(&self) -> PortResult<()> {
        self.0.ping().await
    }

    async fn pause_before_rerun(&self, run: u32) {
        self.0.pause_before_rerun(run).await;
    }

    async fn close(&self) {}
}
