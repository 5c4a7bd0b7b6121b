//! A connection to SQLite in use.

use async_trait::async_trait;
use dolmen_ports::{Dialect, PortResult};
use sqlx::sqlite::SqliteArguments;
use sqlx::{Arguments, Executor, Sqlite};

use super::row::SqliteCells;
use crate::driver::lent::Lent;
use crate::driver::settling::{Committing, Settling};
use crate::driver::{LogPosition, Mode, Session};
use crate::error::map_error;
use crate::native::Native;
use crate::statement::{Row, Value};

#[derive(Debug)]
pub(crate) struct SqliteSession {
    lent: Lent<Sqlite>,
    mode: Mode,
    settling: Settling,
}

impl SqliteSession {
    pub(crate) fn new(lent: Lent<Sqlite>, mode: Mode, settling: Settling) -> Self {
        Self { lent, mode, settling }
    }

    async fn commit(mut self) -> Result<(), sqlx::Error> {
        if let Some(transaction) = self.lent.take_adopted() {
            return transaction.commit().await;
        }
        let mut committing = Committing::new(self.lent, self.settling);
        let result = match committing.connection() {
            Some(connection) => connection.execute("commit").await,
            None => return Ok(()),
        };
        let lent = committing.answered();
        result?;
        lent.into_iter().for_each(Lent::give_back);
        Ok(())
    }

    async fn rollback(mut self) -> Result<(), sqlx::Error> {
        if let Some(transaction) = self.lent.take_adopted() {
            return transaction.rollback().await;
        }
        if self.mode != Mode::Single {
            self.lent.execute("rollback").await?;
        }
        self.lent.give_back();
        Ok(())
    }
}

#[async_trait]
impl Session for SqliteSession {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn execute(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<u64> {
        let query = sqlx::query_with(sql, arguments(values)?);
        let result = query.execute(&mut *self.lent).await;
        result.map(|done| done.rows_affected()).map_err(|error| map_error(error, "execute"))
    }

    async fn fetch(&mut self, sql: &'static str, values: &[Value<'_>]) -> PortResult<Vec<Row>> {
        let query = sqlx::query_with(sql, arguments(values)?);
        let rows = query.fetch_all(&mut *self.lent).await.map_err(|error| map_error(error, "fetch"))?;
        Ok(rows.into_iter().map(|row| Row::new(SqliteCells(row))).collect())
    }

    async fn run_script(&mut self, script: &'static str) -> PortResult<()> {
        let result = sqlx::raw_sql(script).execute(&mut *self.lent).await;
        result.map(drop).map_err(|error| map_error(error, "run a migration"))
    }

    async fn commit(self: Box<Self>, _: bool) -> PortResult<Option<LogPosition>> {
        (*self).commit().await.map(|()| None).map_err(|error| map_error(error, "commit"))
    }

    async fn rollback(self: Box<Self>) -> PortResult<()> {
        (*self).rollback().await.map_err(|error| map_error(error, "roll back"))
    }

    fn native(&mut self) -> Native<'_> {
        Native::Sqlite(&mut self.lent)
    }

    async fn is_open(&mut self) -> PortResult<bool> {
        // Refused within a transaction; otherwise it is one, which is ended again.
        if self.lent.execute("begin").await.is_err() {
            return Ok(true);
        }
        self.lent.execute("rollback").await.map(|_| false).map_err(|error| map_error(error, "commit"))
    }
}

fn arguments(values: &[Value<'_>]) -> PortResult<SqliteArguments> {
    let mut arguments = SqliteArguments::default();
    arguments.reserve(values.len(), 0);
    for value in values {
        let added = match value {
            Value::Null(_) => arguments.add(None::<i64>),
            Value::Bool(value) => arguments.add(*value),
            Value::Integer(value) => arguments.add(*value),
            Value::Float(value) => arguments.add(*value),
            Value::Text(value) => arguments.add(&**value),
            Value::Bytes(value) => arguments.add(&**value),
            Value::Uuid(value) => arguments.add(*value),
            Value::Timestamp(value) => arguments.add(value.to_string()),
            Value::Json(value) => arguments.add(value.to_string()),
            Value::Array(..) => Err("only PostgreSQL has arrays".into()),
        };
        added.map_err(|error| map_error(sqlx::Error::Encode(error), "bind a value"))?;
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use dolmen_ports::ErrorKind;

    use super::*;
    use crate::statement::Kind;

    #[test]
    fn an_array_is_refused() {
        let error = arguments(&[Value::Array(Kind::Integer, Vec::new())]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.chain().contains("only PostgreSQL has arrays"), "{}", error.chain());
    }
}
