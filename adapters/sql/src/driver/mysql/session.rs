//! A connection to MariaDB or MySQL in use.

use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult};
use sqlx::mysql::{MySqlArguments, MySqlPool};
use sqlx::{Arguments, Executor, MySql};

use super::row::MySqlCells;
use super::{MODE, time};
use crate::driver::lent::Lent;
use crate::driver::limits::{purge, within};
use crate::driver::settling::{Committing, Settling};
use crate::driver::{Mode, Session};
use crate::error::{map_error, mysql};
use crate::native::Native;
use crate::statement::{IGNORED, Kind, Row, Value};

#[derive(Debug)]
pub(crate) struct MySqlSession {
    lent: Lent<MySql>,
    mode: Mode,
    /// What it shares with the other sessions of its pool; nothing when it has none.
    shared: Option<(MySqlPool, Settling)>,
    limit: Duration,
    /// The connection is not fit for another borrower.
    broken: bool,
    /// The connection is somebody else's, and was not told yet how to read statements.
    foreign: bool,
}

impl MySqlSession {
    pub(crate) fn new(
        lent: Lent<MySql>,
        mode: Mode,
        shared: Option<(MySqlPool, Settling)>,
        limit: Duration,
    ) -> Self {
        Self { lent, mode, shared, limit, broken: false, foreign: false }
    }

    /// The same, on a connection that somebody else made.
    pub(crate) fn foreign(mut self) -> Self {
        self.foreign = true;
        self
    }

    async fn set_mode(&mut self) -> PortResult<()> {
        if self.foreign {
            within(self.limit, "set up a connection", (*self.lent).execute(MODE)).await?;
            self.foreign = false;
        }
        Ok(())
    }

    /// Judges an error: whether the connection can be lent again, and what the error means in this transaction.
    fn judge(&mut self, error: PortError) -> PortError {
        let number = mysql::number(&error);
        // A transaction that may write was refused a write: the primary has become a replica.
        let demoted = self.mode != Mode::Read && number.is_some_and(mysql::is_read_only_server);
        // A lock that was not had in time is an answer; silence is not.
        let silent = error.kind() == ErrorKind::Timeout && number.is_none();
        let gone = error.kind() == ErrorKind::Unavailable || silent;
        self.broken |= demoted || gone;
        if let Some((pool, _)) = &self.shared
            && (demoted || gone)
        {
            purge(pool);
        }
        if !demoted {
            return error;
        }
        PortError::new(ErrorKind::Unavailable, "database", error.operation())
            .with_detail("the server is read-only now, as after a failover")
            .with_source(error)
    }

    async fn commit(mut self) -> PortResult<()> {
        let limit = self.limit;
        if let Some(transaction) = self.lent.take_adopted() {
            return within(limit, "commit", transaction.commit()).await;
        }
        let settling = self.shared.map(|(_, settling)| settling).unwrap_or_default();
        let mut committing = Committing::new(self.lent, settling);
        let result = match committing.connection() {
            Some(connection) => within(limit, "commit", connection.execute("commit")).await,
            None => return Ok(()),
        };
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout) {
            return result.map(drop);
        }
        let lent = committing.answered();
        result?;
        lent.into_iter().for_each(Lent::give_back);
        Ok(())
    }

    async fn rollback(mut self) -> PortResult<()> {
        let limit = self.limit;
        if let Some(transaction) = self.lent.take_adopted() {
            return within(limit, "roll back", transaction.rollback()).await;
        }
        if self.broken {
            // Dropping it closes it.
            return Ok(());
        }
        if self.mode != Mode::Single {
            within(limit, "roll back", (*self.lent).execute("rollback")).await?;
        }
        self.lent.give_back();
        Ok(())
    }
}

#[async_trait]
impl Session for MySqlSession {
    fn dialect(&self) -> Dialect {
        Dialect::MySql
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        self.set_mode().await?;
        let query = sqlx::query_with(sql, arguments(values)?);
        let done = within(self.limit, "execute", query.execute(&mut *self.lent)).await;
        let done = done.map_err(|error| self.judge(error))?;
        Ok(if done.last_insert_id() == IGNORED { 0 } else { done.rows_affected() })
    }

    async fn fetch(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<Row>> {
        self.set_mode().await?;
        let query = sqlx::query_with(sql, arguments(values)?);
        let result = within(self.limit, "fetch", query.fetch_all(&mut *self.lent)).await;
        let rows = result.map_err(|error| self.judge(error))?;
        Ok(rows.into_iter().map(|row| Row::new(MySqlCells(row))).collect())
    }

    async fn run_script(&mut self, script: &'static str) -> PortResult<()> {
        // No limit: how long a schema change takes is its author's business.
        let result = sqlx::raw_sql(script).execute(&mut *self.lent).await;
        result.map(drop).map_err(|error| self.judge(map_error(error, "run a migration")))
    }

    async fn commit(self: Box<Self>) -> PortResult<()> {
        (*self).commit().await
    }

    async fn rollback(self: Box<Self>) -> PortResult<()> {
        (*self).rollback().await
    }

    fn native(&mut self) -> Native<'_> {
        Native::MySql(&mut self.lent)
    }
}

fn arguments(values: &[Value<'_>]) -> PortResult<MySqlArguments> {
    let mut arguments = MySqlArguments::default();
    arguments.reserve(values.len(), values.len() * 16);
    for value in values {
        let added = match value {
            Value::Null(Kind::Integer | Kind::Bool) => arguments.add(None::<i64>),
            Value::Null(Kind::Float) => arguments.add(None::<f64>),
            Value::Null(Kind::Bytes | Kind::Uuid) => arguments.add(None::<&[u8]>),
            Value::Null(_) => arguments.add(None::<&str>),
            Value::Bool(value) => arguments.add(*value),
            Value::Integer(value) => arguments.add(*value),
            Value::Float(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(&**value),
            Value::Bytes(value) => arguments.add(&**value),
            Value::Uuid(value) => arguments.add(*value),
            Value::Timestamp(value) => arguments.add(time::text(*value)),
            Value::Json(value) => arguments.add(value.to_string()),
        };
        added.map_err(|error| map_error(sqlx::Error::Encode(error), "bind a value"))?;
    }
    Ok(arguments)
}
