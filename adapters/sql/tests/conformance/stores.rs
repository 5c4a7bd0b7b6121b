//! The queue and the stores, for their suites.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{AuditLog, Inbox, JobQueue, PortResult, QueueName, ScheduleStore, SessionStore};
use dolmen_sql::{Native, SqlAuditLog, SqlInbox, SqlScheduleStore, SqlSessionStore, map_error, native};
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
        let work = self.database.system().write(async |tx| {
            for age in AGE {
                let result = match native(tx)? {
                    Native::Sqlite(connection) => {
                        let older = format!("{:+} seconds", -by.as_secs_f64());
                        sqlx::query(age.sqlite).bind(older).execute(connection).await.map(drop)
                    }
                    #[cfg(feature = "postgres")]
                    Native::Postgres(connection) => {
                        sqlx::query(age.postgres).bind(by.as_secs_f64()).execute(connection).await.map(drop)
                    }
                    #[cfg(feature = "mysql")]
                    Native::MySql(connection) => {
                        let micros = i64::try_from(by.as_micros()).unwrap_or(i64::MAX);
                        sqlx::query(age.mysql).bind(micros).execute(connection).await.map(drop)
                    }
                    _ => Ok(()),
                };
                result.map_err(|error| map_error(error, "age the jobs"))?;
            }
            // What became due behind the places that claims have come to is found from the very front.
            self.queue.resume(tx, &QueueName::new("nobody")).await?;
            Ok(())
        });
        work.await
    }
}

/// Makes a table older, as each dialect says it.
struct Age {
    sqlite: &'static str,
    #[cfg(feature = "postgres")]
    postgres: &'static str,
    #[cfg(feature = "mysql")]
    mysql: &'static str,
}

const AGE: [Age; 2] = [
    Age {
        sqlite: "update dolmen_job set
             due_at = strftime('%Y-%m-%dT%H:%M:%f000Z', due_at, ?1),
             created_at = strftime('%Y-%m-%dT%H:%M:%f000Z', created_at, ?1),
             finished_at = strftime('%Y-%m-%dT%H:%M:%f000Z', finished_at, ?1),
             unique_period = unique_period - (unique_period <> 0)",
        #[cfg(feature = "postgres")]
        postgres: "update dolmen_job set
             due_at = due_at - $1 * interval '1 second',
             created_at = created_at - $1 * interval '1 second',
             finished_at = finished_at - $1 * interval '1 second',
             unique_period = unique_period - (unique_period <> 0)::int",
        #[cfg(feature = "mysql")]
        mysql: "update dolmen_job, (select cast(? as signed) as micros) as age set
             due_at = due_at - interval micros microsecond,
             created_at = created_at - interval micros microsecond,
             finished_at = finished_at - interval micros microsecond,
             unique_period = unique_period - (unique_period <> 0)",
    },
    Age {
        sqlite: "update dolmen_job_claim set lease_until = strftime('%Y-%m-%dT%H:%M:%f000Z', lease_until, ?1)",
        #[cfg(feature = "postgres")]
        postgres: "update dolmen_job_claim set lease_until = lease_until - $1 * interval '1 second'",
        #[cfg(feature = "mysql")]
        mysql: "update dolmen_job_claim, (select cast(? as signed) as micros) as age
         set lease_until = lease_until - interval micros microsecond",
    },
];

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
