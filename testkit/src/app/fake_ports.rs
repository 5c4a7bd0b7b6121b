//! All fakes of one application, on one clock.

use std::sync::Arc;

use dolmen::{AppPorts, AuditTrail};
use dolmen_ports::{Database, JobQueue};

use crate::fakes::{
    ManualClock, MemoryAuditLog, MemoryAuthenticator, MemoryDatabase, MemoryInbox, MemoryJobQueue,
    MemoryMailer, MemoryObjectStore, MemoryScheduleStore, MemorySessionStore, RecordingMetrics,
    SequentialIds,
};

/// A fake for every port, all on one clock and in one database. A clone is the same set.
#[derive(Debug, Clone)]
pub struct FakePorts {
    memory: MemoryDatabase,
    queue: MemoryJobQueue,
    authenticator: MemoryAuthenticator,
    mailer: MemoryMailer,
    objects: MemoryObjectStore,
    metrics: RecordingMetrics,
    app: AppPorts,
}

impl FakePorts {
    /// Fresh fakes; the clock stands at 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        let memory = MemoryDatabase::new();
        let queue = MemoryJobQueue::new(&memory);
        let (clock, metrics) = (memory.clock().clone(), RecordingMetrics::new());
        let app = AppPorts::with_time(
            memory.database(),
            Arc::new(queue.clone()),
            Arc::new(MemoryScheduleStore::new()),
            Arc::new(clock.clone()),
            Arc::new(SequentialIds::new()),
        )
        .with_metrics(metrics.metrics());
        Self {
            memory,
            queue,
            authenticator: MemoryAuthenticator::new(),
            mailer: MemoryMailer::new(),
            objects: MemoryObjectStore::with_clock(clock),
            metrics,
            app,
        }
    }

    /// What the application itself runs on; it also makes the handles for jobs and events.
    pub fn app(&self) -> &AppPorts {
        &self.app
    }

    /// The portable handle of the database.
    pub fn database(&self) -> Database {
        self.app.database().clone()
    }

    /// The database.
    pub fn memory(&self) -> &MemoryDatabase {
        &self.memory
    }

    /// The clock of everything, the database included.
    pub fn clock(&self) -> &ManualClock {
        self.memory.clock()
    }

    /// The queue.
    pub fn queue(&self) -> Arc<dyn JobQueue> {
        Arc::new(self.queue.clone())
    }

    /// The inbox.
    pub fn inbox(&self) -> MemoryInbox {
        MemoryInbox::new(&self.memory)
    }

    /// The sessions.
    pub fn sessions(&self) -> MemorySessionStore {
        MemorySessionStore::new()
    }

    /// Who did what, as modules record it.
    pub fn audit(&self) -> AuditTrail {
        let log = Arc::new(MemoryAuditLog::new());
        AuditTrail::new(log, Arc::clone(self.app.clock()), Arc::clone(self.app.ids()))
    }

    /// Who calls.
    pub fn authenticator(&self) -> &MemoryAuthenticator {
        &self.authenticator
    }

    /// The mailer.
    pub fn mailer(&self) -> &MemoryMailer {
        &self.mailer
    }

    /// The objects.
    pub fn objects(&self) -> &MemoryObjectStore {
        &self.objects
    }

    /// What was measured.
    pub fn metrics(&self) -> &RecordingMetrics {
        &self.metrics
    }
}

impl Default for FakePorts {
    fn default() -> Self {
        Self::new()
    }
}
