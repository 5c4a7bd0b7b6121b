//! A connection to PostgreSQL in use.

use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult};
use sqlx::postgres::{PgArguments, PgPool};
use sqlx::types::Json;
use sqlx::{Arguments, Executor, Postgres};

use super::row::PostgresCells;
use super::time::PgTimestamp;
use crate::driver::lent::Lent;
use crate::driver::limits::{purge, within};
use crate::driver::settling::{Committing, Settling};
use crate::driver::{Mode, Session};
use crate::error::map_error;
use crate::native::Native;
use crate::statement::{Kind, Row, Value};

#[derive(Debug)]
pub(crate) struct PostgresSession {
    lent: Lent<Postgres>,
    mode: Mode,
    /// What it shares with the other sessions of its pool; nothing when it has none.
    shared: Option<(PgPool, Settling)>,
    limit: Duration,
    /// The connection is not fit for another borrower.
    broken: bool,
}

impl PostgresSession {
    pub(crate) fn new(
        lent: Lent<Postgres>,
        mode: Mode,
        shared: Option<(PgPool, Settling)>,
        limit: Duration,
    ) -> Self {
        Self { lent, mode, shared, limit, broken: false }
    }

    /// Judges an error: whether the connection can be lent again, and what the error means in this transaction.
    fn judge(&mut self, error: PortError) -> PortError {
        let stale_plan = error.kind() == ErrorKind::Contention && error.chain().contains("cached plan");
        // A transaction that may write was refused a write: the primary has become a replica.
        let demoted = error.kind() == ErrorKind::PermissionDenied
            && self.mode != Mode::Read
            && error.chain().contains("read-only transaction");
        let gone = matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Timeout);
        self.broken |= stale_plan || demoted || gone;
        if let Some((pool, _)) = &self.shared
            && (demoted || gone || stale_plan)
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
impl Session for PostgresSession {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        let query = sqlx::query_with(sql, arguments(values)?);
        let result = within(self.limit, "execute", query.execute(&mut *self.lent)).await;
        result.map(|done| done.rows_affected()).map_err(|error| self.judge(error))
    }

    async fn fetch(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<Row>> {
        let query = sqlx::query_with(sql, arguments(values)?);
        let result = within(self.limit, "fetch", query.fetch_all(&mut *self.lent)).await;
        let rows = result.map_err(|error| self.judge(error))?;
        Ok(rows.into_iter().map(|row| Row::new(PostgresCells(row))).collect())
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
        Native::Postgres(&mut self.lent)
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
