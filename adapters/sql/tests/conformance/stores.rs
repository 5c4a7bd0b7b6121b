//! The queue and the stores, for their suites.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{AuditLog, Inbox, JobQueue, PortResult, ScheduleStore, SessionStore};
use dolmen_sql::test_database::age_jobs;
use dolmen_sql::{SqlAuditLog, SqlInbox, SqlScheduleStore, SqlSessionStore};
use dolmen_testkit::conformance::audit::AuditHarness;
use dolmen_testkit::conformance::inbox::InboxHarness;
use dolmen_testkit::conformance::jobs::JobsHarness;
use dolmen_testkit::conformance::schedules::SchedulesHarness;
use dolmen_testkit::conformance::sessions::SessionsHarness;

use crate::fixture::SqlHarness;

#[async_trait]
impl JobsHarness for SqlHarness {
    fn queue(&self) -> Arc<dyn JobQueue> {
        Arc::clone(&self.queue) as Arc<dyn JobQueue>
    }

    /// `TEST_SEQUENCES=60..360` plays others than the first 30.
    fn sequences(&self) -> Range<u64> {
        let chosen = crate::variable("TEST_SEQUENCES");
        let chosen = chosen.as_deref().and_then(|chosen| chosen.split_once(".."));
        let chosen = chosen.and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
        chosen.unwrap_or(0..30)
    }

    async fn age(&self, by: Duration) -> PortResult<()> {
        age_jobs(&self.sql, by).await
    }
}

impl SchedulesHarness for SqlHarness {
    fn schedules(&self) -> Arc<dyn ScheduleStore> {
        Arc::new(SqlScheduleStore::new())
    }
}

impl InboxHarness for SqlHarness {
    fn inbox(&self) -> Arc<dyn Inbox> {
        Arc::new(SqlInbox::new())
    }
}

impl SessionsHarness for SqlHarness {
    fn sessions(&self) -> Arc<dyn SessionStore> {
        Arc::new(SqlSessionStore::new())
    }
}

impl AuditHarness for SqlHarness {
    fn audit(&self) -> Arc<dyn AuditLog> {
        Arc::new(SqlAuditLog::new())
    }
}
