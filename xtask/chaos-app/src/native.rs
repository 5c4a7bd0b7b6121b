//! Statements that modules do not write: changes of the schema, and settings of one transaction.

use dolmen::ports::Dialect;
use dolmen::{Database, PortResult, ReadTx};
use dolmen_sql::{Native, map_error, native};

/// Runs a statement of this database's own in a transaction.
pub(crate) async fn run(tx: &mut ReadTx, statement: &'static str) -> PortResult<()> {
    let done = match native(tx)? {
        #[cfg(feature = "sqlite")]
        Native::Sqlite(connection) => sqlx::raw_sql(statement).execute(connection).await.map(drop),
        #[cfg(feature = "postgres")]
        Native::Postgres(connection) => sqlx::raw_sql(statement).execute(connection).await.map(drop),
        #[cfg(feature = "mysql")]
        Native::MySql(connection) => sqlx::raw_sql(statement).execute(connection).await.map(drop),
        _ => Ok(()),
    };
    done.map_err(|error| map_error(error, "run a native statement"))
}

/// Changes the schema. On MariaDB the statement ends its transaction by itself.
pub(crate) async fn change(database: &Database, statement: &'static str) -> PortResult<()> {
    let mut tx = database.system().begin().await?;
    run(&mut tx, statement).await?;
    if tx.backend() == Dialect::MySql.name() { tx.rollback().await } else { tx.commit().await }
}
