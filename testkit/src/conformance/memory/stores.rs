//! The ports that live in transactions, in memory.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{AuditLog, Inbox, JobQueue, PortResult, ScheduleStore, SessionStore};

use super::MemoryHarness;
use crate::conformance::audit::AuditHarness;
use crate::conformance::inbox::InboxHarness;
use crate::conformance::jobs::JobsHarness;
use crate::conformance::schedules::SchedulesHarness;
use crate::conformance::sessions::SessionsHarness;
use crate::fakes::{MemoryAuditLog, MemoryInbox, MemoryScheduleStore, MemorySessionStore};

#[async_trait]
impl JobsHarness for MemoryHarness {
    fn queue(&self) -> Arc<dyn JobQueue> {
        Arc::new(self.queue.clone())
    }

    /// They take no time in memory.
    fn sequences(&self) -> std::ops::Range<u64> {
        0..10_000
    }

    async fn age(&self, by: Duration) -> PortResult<()> {
        self.memory.clock().advance(by);
        Ok(())
    }
}

impl SchedulesHarness for MemoryHarness {
    fn schedules(&self) -> Arc<dyn ScheduleStore> {
        Arc::new(MemoryScheduleStore::new())
    }
}

impl InboxHarness for MemoryHarness {
    fn inbox(&self) -> Arc<dyn Inbox> {
        Arc::new(MemoryInbox::new(&self.memory))
    }
}

impl SessionsHarness for MemoryHarness {
    fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::new(MemorySessionStore::new())
    }
}

impl AuditHarness for MemoryHarness {
    fn audit(&self) -> Arc<dyn AuditLog> {
        Arc::new(MemoryAuditLog::new())
    }
}
