//! Hearing of new jobs on MariaDB, which has no notifications: one statement that waits on the server.

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{ErrorKind, PortError, PortResult};
use sqlx::{AssertSqlSafe, MySqlConnection, raw_sql};

use crate::driver::limits::within;
use crate::driver::{Listener, OF_ANY_QUEUE};

/// One statement looks 50 times, every 200 ms: a few statements a minute instead of three hundred.
const LOOKS: u32 = 50;
const PAUSE_MS: u32 = 200;
const LASTS: Duration = Duration::from_secs(10);

/// Waits until the newest job is another one than it was. Ids ascend with the time at which their process made them; a job of
/// a process whose clock is behind, or one that is due later, is found by polling.
#[derive(Debug)]
pub(super) struct NewestJob {
    connection: MySqlConnection,
    newest: Option<Vec<u8>>,
    limit: Duration,
}

impl NewestJob {
    /// Begins with what is there; nothing on a server that knows no such statement.
    pub(super) async fn of(mut connection: MySqlConnection, limit: Duration) -> PortResult<Option<Self>> {
        let version = sqlx::query_scalar("select cast(version() as char)").fetch_one(&mut connection);
        let version: String = within(limit, "listen", version).await?;
        if !version.to_ascii_lowercase().contains("mariadb") {
            return Ok(None);
        }
        let newest = sqlx::query_scalar("select max(id) from dolmen_job").fetch_one(&mut connection);
        let newest = within(limit, "listen", newest).await?;
        Ok(Some(Self { connection, newest, limit }))
    }

    /// A block, since MariaDB runs one without its being stored before, and takes no parameters in it. Each look is a
    /// statement of its own within it, and so sees what was committed before.
    fn wait(&self) -> Result<String, std::fmt::Error> {
        let mut known = "null".to_owned();
        if let Some(newest) = &self.newest {
            known = "x'".to_owned();
            newest.iter().try_for_each(|byte| write!(known, "{byte:02x}"))?;
            known.push('\'');
        }
        Ok(format!(
            "begin not atomic
                 declare newest binary(16) default {known};
                 declare looks integer default 0;
                 repeat
                     do sleep({PAUSE_MS} / 1000);
                     set newest = (select max(id) from dolmen_job), looks = looks + 1;
                 until looks >= {LOOKS} or not (newest <=> {known}) end repeat;
                 select newest;
             end"
        ))
    }
}

#[async_trait]
impl Listener for NewestJob {
    async fn hear(&mut self) -> PortResult<String> {
        loop {
            let wait = self.wait().map_err(|error| {
                PortError::new(ErrorKind::Internal, "database", "listen").with_source(error)
            })?;
            let answer = raw_sql(AssertSqlSafe(wait)).fetch_one(&mut self.connection);
            let row = within(LASTS + self.limit, "listen", answer).await?;
            let newest = within(self.limit, "listen", async { sqlx::Row::try_get(&row, 0) }).await?;
            if newest != self.newest {
                self.newest = newest;
                return Ok(OF_ANY_QUEUE.to_owned());
            }
        }
    }
}
