//! Hearing of new jobs on MariaDB, which has no notifications: one statement that waits on the server.

use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{PortResult, Uuid};
use sqlx::{AssertSqlSafe, MySqlConnection, Row as _, raw_sql};

use crate::driver::limits::within;
use crate::driver::{Listener, OF_ANY_QUEUE};
use crate::error::map_error;

/// One statement looks 50 times, every 200 ms: a few statements a minute instead of three hundred.
const LOOKS: u32 = 50;
const PAUSE_MS: u32 = 200;
const LASTS: Duration = Duration::from_secs(10);

/// Waits until the newest job is another one than it was. Ids ascend with the time at which their process made them; a job of
/// a process whose clock is behind, or one that is due later, is found by polling.
#[derive(Debug)]
pub(super) struct NewestJob {
    connection: MySqlConnection,
    newest: Option<Uuid>,
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
    fn wait(&self) -> String {
        let known = match &self.newest {
            Some(newest) => format!("x'{}'", newest.simple()),
            None => "null".to_owned(),
        };
        format!(
            "begin not atomic
                 declare newest binary(16) default {known};
                 declare looks integer default 0;
                 repeat
                     do sleep({PAUSE_MS} / 1000);
                     set newest = (select max(id) from dolmen_job), looks = looks + 1;
                 until looks >= {LOOKS} or not (newest <=> {known}) end repeat;
                 select newest;
             end"
        )
    }
}

#[async_trait]
impl Listener for NewestJob {
    async fn hear(&mut self) -> PortResult<String> {
        loop {
            let answer = raw_sql(AssertSqlSafe(self.wait())).fetch_one(&mut self.connection);
            let row = within(LASTS + self.limit, "listen", answer).await?;
            let newest = row.try_get(0).map_err(|error| map_error(error, "listen"))?;
            if newest != self.newest {
                self.newest = newest;
                return Ok(OF_ANY_QUEUE.to_owned());
            }
        }
    }
}
