//! All migrations on MariaDB and MySQL.

use dolmen_ports::{Dialect, MigrationSet, PortResult, TxDriver};

use crate::database::{SqlOptions, SqlTx};
use crate::driver::Backend;
use crate::migrate::plan::pending;
use crate::migrate::{applied, lock, tables};
use crate::statement::Value;

/// Applies what is pending of all sets; returns its names.
pub(in crate::migrate) async fn run(
    backend: &dyn Backend,
    sets: &[MigrationSet],
    options: &SqlOptions,
) -> PortResult<Vec<String>> {
    let mut tx = lock::on_connection(backend, options.migration_lock_timeout).await?;
    let names = run_locked(backend, &mut tx, sets, options).await;
    // The lock belongs to the connection, and ends with it.
    drop(Box::new(tx).rollback().await);
    names
}

async fn run_locked(
    backend: &dyn Backend,
    tx: &mut SqlTx,
    sets: &[MigrationSet],
    options: &SqlOptions,
) -> PortResult<Vec<String>> {
    // For tables and for rows; the server counts in seconds, and its own limit for tables is a day.
    let seconds = i64::try_from(options.table_lock_timeout.as_secs()).unwrap_or(i64::MAX).clamp(1, 1 << 24);
    for limit in ["set session lock_wait_timeout = ?", "set session innodb_lock_wait_timeout = ?"] {
        tx.execute(limit, &[Value::Integer(seconds)]).await?;
    }
    tables::make(tx).await?;
    let mut names = Vec::new();
    for set in sets {
        let known = applied(tx, set).await?;
        for migration in pending(set, &known, Dialect::MySql)? {
            super::apply(backend, tx, 0, set, migration, options).await?;
            let name = format!("{}/{}", set.module, migration.name);
            tracing::info!(migration = name, "migration applied");
            names.push(name);
        }
    }
    Ok(names)
}
