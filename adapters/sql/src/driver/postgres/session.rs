//! A connection to PostgreSQL in use.

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::types::Json;
use sqlx::{Arguments, Postgres};

use super::begin_of;
use super::row::PostgresCells;
use super::time::PgTimestamp;
use crate::driver::checkout::{Checkout, Finding};
use crate::driver::limits::within;
use crate::driver::{Mode, Session};
use crate::error::map_error;
use crate::native::Native;
use crate::statement::{Kind, Row, Value};

#[derive(Debug)]
pub(crate) struct PostgresSession(Checkout<Postgres>);

impl PostgresSession {
    pub(crate) fn new(checkout: Checkout<Postgres>) -> Self {
        Self(checkout)
    }

    async fn execute_once(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        let query = sqlx::query_with(sql, arguments(values)?);
        let done = within(self.0.limit(), "execute", query.execute(self.0.connection())).await?;
        Ok(done.rows_affected())
    }

    async fn fetch_once(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<PgRow>> {
        let query = sqlx::query_with(sql, arguments(values)?);
        within(self.0.limit(), "fetch", query.fetch_all(self.0.connection())).await
    }

    /// Whether the transaction's first statement met a plan that a migration had made stale.
    fn should_begin_again<T>(&self, result: &PortResult<T>) -> bool {
        result.as_ref().is_err_and(is_stale_plan) && self.0.can_begin_again()
    }

    /// Judges an error: whether the connection can be lent again, and what the error means in this transaction.
    fn judge(&mut self, error: PortError) -> PortError {
        let stale_plan = is_stale_plan(&error);
        let demoted = error.kind() == ErrorKind::PermissionDenied
            && self.0.mode() != Mode::Read
            && error.chain().contains("read-only transaction");
        let gone = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout);
        let finding = match (demoted, stale_plan || gone) {
            (true, _) => Finding::Demoted,
            (false, true) => Finding::Broken,
            (false, false) => Finding::Fit,
        };
        self.0.judged(error, finding)
    }
}

fn is_stale_plan(error: &PortError) -> bool {
    error.kind() == ErrorKind::Contention && error.chain().contains("cached plan")
}

#[async_trait]
impl Session for PostgresSession {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        let mut result = self.execute_once(sql, values).await;
        if self.should_begin_again(&result) {
            self.0.begin_again(begin_of(self.0.mode())).await?;
            result = self.execute_once(sql, values).await;
        }
        self.0.note_use();
        result.map_err(|error| self.judge(error))
    }

    async fn fetch(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<Row>> {
        let mut result = self.fetch_once(sql, values).await;
        if self.should_begin_again(&result) {
            self.0.begin_again(begin_of(self.0.mode())).await?;
            result = self.fetch_once(sql, values).await;
        }
        self.0.note_use();
        let rows = result.map_err(|error| self.judge(error))?;
        Ok(rows.into_iter().map(|row| Row::new(PostgresCells(row))).collect())
    }

    async fn run_script(&mut self, script: &'static str) -> PortResult<()> {
        // No limit: how long a schema change takes is its author's business.
        let result = sqlx::raw_sql(script).execute(self.0.connection()).await;
        result.map(drop).map_err(|error| self.judge(map_error(error, "run a migration")))
    }

    async fn commit(self: Box<Self>) -> PortResult<()> {
        self.0.commit("commit").await
    }

    async fn rollback(self: Box<Self>) -> PortResult<()> {
        self.0.rollback("rollback").await
    }

    fn native(&mut self) -> Native<'_> {
        self.0.note_use();
        Native::Postgres(self.0.connection())
    }
}

fn arguments(values: &[Value<'_>]) -> PortResult<PgArguments> {
    let mut arguments = PgArguments::default();
    arguments.reserve(values.len(), values.len() * 16);
    for value in values {
        let added = match value {
            Value::Null(kind) => add_null(&mut arguments, *kind),
            Value::Bool(value) => arguments.add(*value),
            Value::Integer(value) => arguments.add(*value),
            Value::Float(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(&**value),
            Value::Bytes(value) => arguments.add(&**value),
            Value::Uuid(value) => arguments.add(*value),
            Value::Timestamp(value) => arguments.add(PgTimestamp(*value)),
            Value::Json(value) => arguments.add(Json(&**value)),
        };
        added.map_err(|error| map_error(sqlx::Error::Encode(error), "bind a value"))?;
    }
    Ok(arguments)
}

/// PostgreSQL wants to know the type of a NULL.
fn add_null(arguments: &mut PgArguments, kind: Kind) -> Result<(), sqlx::error::BoxDynError> {
    match kind {
        Kind::Bool => arguments.add(None::<bool>),
        Kind::Integer => arguments.add(None::<i64>),
        Kind::Float => arguments.add(None::<f64>),
        Kind::Text => arguments.add(None::<&str>),
        Kind::Bytes => arguments.add(None::<&[u8]>),
        Kind::Uuid => arguments.add(None::<dolmen_ports::Uuid>),
        Kind::Timestamp => arguments.add(None::<PgTimestamp>),
        Kind::Json => arguments.add(None::<Json<()>>),
    }
}
