//! The fakes as a harness; also the example of how one is written.

mod outside;
mod scratch;
mod stores;

use std::sync::atomic::AtomicU16;

use dolmen_ports::{BoxError, Database};

use super::database::DatabaseCapabilities;
use super::harness::{Harness, TransactionHarness};
use crate::fakes::{
    MemoryAuthenticator, MemoryDatabase, MemoryJobQueue, MemoryMailer, MemoryObjectStore, RecordingMetrics,
};

/// The fakes, ready for the suites of their ports.
#[derive(Debug)]
pub struct MemoryHarness {
    memory: MemoryDatabase,
    database: Database,
    queue: MemoryJobQueue,
    mailer: MemoryMailer,
    objects: MemoryObjectStore,
    authenticator: MemoryAuthenticator,
    metrics: RecordingMetrics,
    generators: AtomicU16,
}

impl MemoryHarness {
    /// What the fakes can do: no foreign keys, and migrations that are only recorded.
    pub const CAPABILITIES: DatabaseCapabilities =
        DatabaseCapabilities::all().without_foreign_keys().without_sql_migrations();

    /// Fresh fakes.
    #[expect(clippy::unused_async, reason = "a suite awaits the harness; other adapters connect here")]
    pub async fn fresh() -> Result<Self, BoxError> {
        // Its replica stands still, so that a read that should not go there is seen.
        let memory = MemoryDatabase::with_replica();
        Ok(Self {
            database: memory.database(),
            queue: MemoryJobQueue::new(&memory),
            mailer: MemoryMailer::new(),
            objects: MemoryObjectStore::with_clock(memory.clock().clone()),
            authenticator: MemoryAuthenticator::new(),
            metrics: RecordingMetrics::new(),
            generators: AtomicU16::new(0),
            memory,
        })
    }
}

impl Harness for MemoryHarness {}

impl TransactionHarness for MemoryHarness {
    fn database(&self) -> &Database {
        &self.database
    }
}
