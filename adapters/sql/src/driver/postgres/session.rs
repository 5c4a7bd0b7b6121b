//! A connection to PostgreSQL in use.

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::types::Json;
use sqlx::{Arguments, Executor, Postgres, SqlSafeStr};

use super::array;
use super::begin::{self, Begin};
use super::position;
use super::route::Route;
use super::row::PostgresCells;
use super::time::PgTimestamp;
use crate::driver::checkout::{Checkout, Finding};
use crate::driver::limits::within;
use crate::driver::{LogPosition, Mode, Session};
use crate::error::{code, map_error, postgres};
use crate::native::Native;
use crate::statement::{Kind, Row, Value};

/// Statements that were given names would meet those of the session's next borrower.
const FORGET_NAMES: &str = "deallocate all";
/// In one message, so that it is one session of the server that does both.
const ROLLBACK_AND_FORGET_NAMES: &str = "rollback; deallocate all";

#[derive(Debug)]
pub(crate) struct PostgresSession {
    checkout: Checkout<Postgres>,
    begin: Begin,
    /// Native statements may have been given names, in a session of the server that will be somebody else's.
    named: bool,
}

impl PostgresSession {
    pub(crate) fn new(checkout: Checkout<Postgres>, begin: Begin) -> Self {
        Self { checkout, begin, named: false }
    }

    /// A statement that the server keeps, so that it is parsed once; through a pooler it has no name and is not kept.
    fn query(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> PortResult<sqlx::query::Query<'static, Postgres, PgArguments>> {
        Ok(sqlx::query_with(sql, arguments(values)?).persistent(self.begin.route() == Route::Direct))
    }

    /// Whether a statement needs a transaction around it.
    fn wraps(&self) -> bool {
        self.begin.route() == Route::Pooled && self.checkout.mode() == Mode::Single
    }

    async fn run(&mut self, operation: &'static str, statement: impl SqlSafeStr) -> PortResult<()> {
        let limit = self.checkout.limit();
        let result =
            within(limit, operation, self.checkout.connection().execute(statement.into_sql_str())).await;
        result.map(drop).map_err(|error| self.judge(error))
    }

    async fn before(&mut self) -> PortResult<()> {
        match self.begin.of(Mode::Single) {
            Some(begin) if self.wraps() => self.run("begin", begin).await,
            _ => Ok(()),
        }
    }

    async fn after<T>(&mut self, result: PortResult<T>) -> PortResult<T> {
        let result = result.map_err(|error| self.judge(error));
        if !self.wraps() || self.checkout.is_broken() {
            return result;
        }
        match result {
            Ok(value) => self.run("commit", "commit").await.map(|()| value),
            Err(error) => {
                let ended = self.run("roll back", "rollback").await;
                // The error to report is the statement's; this one only closes the connection.
                drop(ended.map_err(|error| self.checkout.judged(error, Finding::Broken)));
                Err(error)
            }
        }
    }

    async fn execute_once(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        let (query, limit) = (self.query(sql, values)?, self.checkout.limit());
        let done = within(limit, "execute", query.execute(self.checkout.connection())).await?;
        Ok(done.rows_affected())
    }

    async fn fetch_once(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<PgRow>> {
        let (query, limit) = (self.query(sql, values)?, self.checkout.limit());
        within(limit, "fetch", query.fetch_all(self.checkout.connection())).await
    }

    /// Whether the transaction's first statement met a plan that a migration had made stale. Through a pooler no plan is kept.
    fn should_begin_again<T>(&self, result: &PortResult<T>) -> bool {
        let is_stale = result.as_ref().is_err_and(postgres::is_stale_plan);
        is_stale && self.begin.route() == Route::Direct && self.checkout.can_begin_again()
    }

    /// Judges an error: whether the connection can be lent again, and what the error means in this transaction.
    fn judge(&mut self, error: PortError) -> PortError {
        let stale_plan = postgres::is_stale_plan(&error);
        let demoted = self.checkout.mode() != Mode::Read && postgres::is_read_only(&error);
        // A limit of the server's own is an answer; silence is not.
        let silent = error.kind() == ErrorKind::Timeout && code(&error).is_none();
        let gone = error.kind() == ErrorKind::Unavailable || silent;
        let finding = match (demoted, stale_plan || gone) {
            (true, _) => Finding::Demoted,
            (false, true) => Finding::Broken,
            (false, false) => Finding::Fit,
        };
        self.checkout.judged(error, finding)
    }
}

#[async_trait]
impl Session for PostgresSession {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        self.before().await?;
        let mut result = self.execute_once(sql, values).await;
        while self.should_begin_again(&result) {
            self.checkout.begin_again(begin::direct(self.checkout.mode())).await?;
            result = self.execute_once(sql, values).await;
        }
        self.checkout.note_use();
        self.after(result).await
    }

    async fn fetch(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<Row>> {
        self.before().await?;
        let mut result = self.fetch_once(sql, values).await;
        while self.should_begin_again(&result) {
            self.checkout.begin_again(begin::direct(self.checkout.mode())).await?;
            result = self.fetch_once(sql, values).await;
        }
        self.checkout.note_use();
        let rows = self.after(result).await?;
        Ok(rows.into_iter().map(|row| Row::new(PostgresCells(row))).collect())
    }

    async fn run_script(&mut self, script: &'static str) -> PortResult<()> {
        // No limit: how long a schema change takes is its author's business.
        let result = sqlx::raw_sql(script).execute(self.checkout.connection()).await;
        result.map(drop).map_err(|error| self.judge(map_error(error, "run a migration")))
    }

    async fn commit(mut self: Box<Self>, wants_position: bool) -> PortResult<Option<LogPosition>> {
        if self.named {
            self.run("commit", FORGET_NAMES).await?;
        }
        if wants_position {
            let told = self.checkout.commit_by(|connection| Box::pin(position::commit_and_tell(connection)));
            return told.await.map(Option::flatten);
        }
        self.checkout.commit("commit").await.map(|()| None)
    }

    async fn rollback(mut self: Box<Self>) -> PortResult<()> {
        if !self.named {
            return self.checkout.rollback("rollback").await;
        }
        if self.checkout.is_adopted() {
            // Its own end then finds no transaction, which is no error.
            self.run("roll back", ROLLBACK_AND_FORGET_NAMES).await?;
        }
        self.checkout.rollback(ROLLBACK_AND_FORGET_NAMES).await
    }

    fn native(&mut self) -> Native<'_> {
        self.checkout.note_use();
        self.named = self.begin.route() == Route::Pooled;
        Native::Postgres(self.checkout.connection())
    }

    async fn is_open(&mut self) -> PortResult<bool> {
        // Refused outside of a transaction and in a failed one; COMMIT would answer both with success.
        let limit = self.checkout.limit();
        match within(limit, "commit", self.checkout.connection().execute("savepoint dolmen")).await {
            Ok(_) => Ok(true),
            Err(error) if code(&error).is_some_and(|code| code == "25P01" || code == "25P02") => Ok(false),
            Err(error) => Err(self.judge(error)),
        }
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
            Value::Array(kind, values) => array::add(&mut arguments, *kind, values),
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
