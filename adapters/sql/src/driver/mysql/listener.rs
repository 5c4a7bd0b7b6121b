//! Hearing of new jobs on MariaDB, which has no notifications: one statement that waits on the server.

use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::PortResult;
use sqlx::{AssertSqlSafe, Executor as _, MySqlConnection, Row as _, raw_sql};

use super::version::is_mariadb;
use crate::driver::limits::within;
use crate::driver::{Listener, OF_ANY_QUEUE};
use crate::error::map_error;

/// One statement looks 40 times, every 200 ms: a few statements a minute instead of three hundred. Servers that log what takes
/// long begin with ten seconds.
const LOOKS: u32 = 40;
const PAUSE: Duration = Duration::from_millis(200);
const LASTS: Duration = PAUSE.saturating_mul(LOOKS);

const NUMBER: &str = "select number from dolmen_job_hint where id = 1";

/// Waits until the number of hints is another one than it was.
#[derive(Debug)]
pub(super) struct CountedHints {
    connection: MySqlConnection,
    number: i64,
    limit: Duration,
}

impl CountedHints {
    /// Begins with what is there; nothing on a server that knows no such statement.
    pub(super) async fn of(mut connection: MySqlConnection, limit: Duration) -> PortResult<Option<Self>> {
        let version = sqlx::query_scalar("select cast(version() as char)").fetch_one(&mut connection);
        let version: String = within(limit, "listen", version).await?;
        if !is_mariadb(&version) {
            return Ok(None);
        }
        // A limit of the server's is for statements that work.
        within(limit, "listen", connection.execute("set session max_statement_time = 0")).await?;
        let number = within(limit, "listen", sqlx::query_scalar(NUMBER).fetch_one(&mut connection)).await?;
        Ok(Some(Self { connection, number, limit }))
    }

    /// A block, since MariaDB runs one without its being stored before, and takes no parameters in it. Each look is a
    /// statement of its own within it, which locks nothing and sees what was committed before.
    fn wait(&self) -> String {
        let (known, pause) = (self.number, PAUSE.as_millis());
        format!(
            "begin not atomic
                 declare found bigint default {known};
                 declare looks integer default 0;
                 repeat
                     do sleep({pause} / 1000);
                     select number into found from dolmen_job_hint where id = 1;
                     set looks = looks + 1;
                 until looks >= {LOOKS} or found <> {known} end repeat;
                 select found;
             end"
        )
    }
}

#[async_trait]
impl Listener for CountedHints {
    async fn hear(&mut self) -> PortResult<String> {
        loop {
            let answer = raw_sql(AssertSqlSafe(self.wait())).fetch_one(&mut self.connection);
            let row = within(LASTS + self.limit, "listen", answer).await?;
            let number = row.try_get(0).map_err(|error| map_error(error, "listen"))?;
            if number != self.number {
                self.number = number;
                return Ok(OF_ANY_QUEUE.to_owned());
            }
        }
    }
}
