//! The way out: the driver's own connection, in the same transaction.

use std::fmt;

use dolmen_ports::{PortError, PortResult, ReadTx};

use crate::database::SqlTx;
use crate::error::{map_error, of_module};

/// The connection of a transaction, as sqlx has it.
#[non_exhaustive]
pub enum Native<'t> {
    /// SQLite.
    #[cfg(feature = "sqlite")]
    Sqlite(&'t mut sqlx::SqliteConnection),
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    Postgres(&'t mut sqlx::PgConnection),
    /// MariaDB and MySQL.
    #[cfg(feature = "mysql")]
    MySql(&'t mut sqlx::MySqlConnection),
    /// Never made; it keeps the type inhabited when no driver is compiled in.
    #[doc(hidden)]
    None(&'t std::convert::Infallible),
}

impl fmt::Debug for Native<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("native connection")
    }
}

/// Lends the driver's connection, for what one database can do and the others cannot.
///
/// The connection is in the transaction of `tx`: do not begin or end one on it. MariaDB and MySQL end one with each change of
/// the schema. A read transaction hands out its
/// connection too; that it cannot write is then the database's doing. An error of a native statement ends the
/// transaction as any other error does; the next statement or commit after one that was not returned, or after the end, is
/// `InvalidInput`. Behind a pooler, prepared statements and settings last as long as the transaction: write
/// `set local`. Map it with [`native_error`].
///
/// # Errors
/// `WrongBackend` when the transaction belongs to another adapter; `InvalidInput` when it can only be rolled back.
pub fn native(tx: &mut ReadTx) -> PortResult<Native<'_>> {
    tx.driver_mut::<SqlTx>()?.native()
}

/// Translates an error of a native statement in `tx`, as [`map_error`](crate::map_error) does; when the statement
/// reached for a table of another module, the words name the module that `tx` belongs to, and the table.
///
/// # Examples
/// ```
/// use dolmen_ports::{PortResult, WriteTx};
/// use dolmen_sql::{Native, native, native_error};
/// async fn tidy(tx: &mut WriteTx) -> PortResult<()> {
///     let result = match native(tx)? {
///         Native::Sqlite(connection) => sqlx::query("pragma optimize").execute(connection).await.map(drop),
///         _ => Ok(()),
///     };
///     result.map_err(|error| native_error(tx, error, "tidy up"))
/// }
/// ```
pub fn native_error(tx: &ReadTx, error: sqlx::Error, operation: &'static str) -> PortError {
    of_module(map_error(error, operation), tx.module())
}
