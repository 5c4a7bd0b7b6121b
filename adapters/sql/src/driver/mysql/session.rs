//! A connection to MariaDB or MySQL in use.

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult};
use sqlx::mysql::{MySqlArguments, MySqlRow};
use sqlx::{Arguments, Executor, MySql};

use super::row::MySqlCells;
use super::{MODE, begin_of, time};
use crate::driver::checkout::{Checkout, Finding, demoted};
use crate::driver::limits::within;
use crate::driver::pool::Pool;
use crate::driver::{LogPosition, Mode, Session};
use crate::error::{map_error, mysql};
use crate::native::Native;
use crate::statement::{IGNORED, Kind, Row, Value};

/// As every transaction is told when it begins.
const NEXT_TRANSACTION: &str = "set transaction read write";

#[derive(Debug)]
pub(crate) struct MySqlSession {
    checkout: Checkout<MySql>,
    /// The connection is somebody else's, and was not told yet how to read statements.
    foreign: bool,
}

impl MySqlSession {
    pub(crate) fn new(checkout: Checkout<MySql>) -> Self {
        Self { checkout, foreign: false }
    }

    /// The same, on a connection that somebody else made.
    pub(crate) fn foreign(mut self) -> Self {
        self.foreign = true;
        self
    }

    async fn set_mode(&mut self) -> PortResult<()> {
        if self.foreign {
            let limit = self.checkout.limit();
            within(limit, "set up a connection", self.checkout.connection().execute(MODE)).await?;
            self.foreign = false;
        }
        Ok(())
    }

    async fn execute_once(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        let query = sqlx::query_with(sql, arguments(values)?);
        let done =
            within(self.checkout.limit(), "execute", query.execute(self.checkout.connection())).await?;
        Ok(if done.last_insert_id() == IGNORED { 0 } else { done.rows_affected() })
    }

    async fn fetch_once(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<MySqlRow>> {
        let query = sqlx::query_with(sql, arguments(values)?);
        within(self.checkout.limit(), "fetch", query.fetch_all(self.checkout.connection())).await
    }

    /// Whether the transaction's first statement met a table that a migration had changed after its begin.
    fn should_begin_again<T>(&self, result: &PortResult<T>) -> bool {
        let is_stale = |error| mysql::number(error).is_some_and(mysql::is_stale);
        result.as_ref().is_err_and(is_stale) && self.checkout.can_begin_again()
    }

    /// Judges an error: whether the connection can be lent again, and what the error means in this transaction.
    fn judge(&mut self, error: PortError) -> PortError {
        let number = mysql::number(&error);
        let demoted = self.checkout.mode() != Mode::Read && number.is_some_and(mysql::is_read_only_server);
        // A lock that was not had in time is an answer; silence is not.
        let silent = error.kind() == ErrorKind::Timeout && number.is_none();
        let gone = error.kind() == ErrorKind::Unavailable || silent;
        let finding = match (demoted, gone) {
            (true, _) => Finding::Demoted,
            (false, true) => Finding::Broken,
            (false, false) => Finding::Fit,
        };
        self.checkout.judged(error, finding)
    }
}

#[async_trait]
impl Session for MySqlSession {
    fn dialect(&self) -> Dialect {
        Dialect::MySql
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        self.set_mode().await?;
        let mut result = self.execute_once(sql, values).await;
        while self.should_begin_again(&result) {
            self.checkout.begin_again(begin_of(self.checkout.mode())).await?;
            result = self.execute_once(sql, values).await;
        }
        self.checkout.note_use();
        result.map_err(|error| self.judge(error))
    }

    async fn fetch(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<Row>> {
        self.set_mode().await?;
        let mut result = self.fetch_once(sql, values).await;
        while self.should_begin_again(&result) {
            self.checkout.begin_again(begin_of(self.checkout.mode())).await?;
            result = self.fetch_once(sql, values).await;
        }
        self.checkout.note_use();
        let rows = result.map_err(|error| self.judge(error))?;
        Ok(rows.into_iter().map(|row| Row::new(MySqlCells(row))).collect())
    }

    async fn run_script(&mut self, script: &'static str) -> PortResult<()> {
        // No limit: how long a schema change takes is its author's business.
        let result = sqlx::raw_sql(script).execute(self.checkout.connection()).await;
        result.map(drop).map_err(|error| self.judge(map_error(error, "run a migration")))
    }

    async fn commit(self: Box<Self>, _: bool) -> PortResult<Option<LogPosition>> {
        let pool = self.checkout.pool().cloned();
        let committed = self.checkout.commit("commit").await;
        committed.map(|()| None).map_err(|error| {
            if !mysql::number(&error).is_some_and(mysql::is_read_only_server) {
                return error;
            }
            // It was made read-only meanwhile, and has rolled back what was written before.
            pool.iter().for_each(Pool::purge);
            demoted(error)
        })
    }

    async fn rollback(self: Box<Self>) -> PortResult<()> {
        self.checkout.rollback("rollback").await
    }

    fn native(&mut self) -> Native<'_> {
        self.checkout.note_use();
        Native::MySql(self.checkout.connection())
    }

    async fn is_open(&mut self) -> PortResult<bool> {
        // Refused within a transaction. A deadlock ends one, and COMMIT then has nothing to commit, and succeeds.
        let limit = self.checkout.limit();
        match within(limit, "commit", self.checkout.connection().execute(NEXT_TRANSACTION)).await {
            Ok(_) => Ok(false),
            Err(error) if mysql::number(&error) == Some(mysql::WITHIN_A_TRANSACTION) => Ok(true),
            Err(error) => Err(self.judge(error)),
        }
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
            Value::Array(..) => Err("only PostgreSQL has arrays".into()),
        };
        added.map_err(|error| map_error(sqlx::Error::Encode(error), "bind a value"))?;
    }
    Ok(arguments)
}
