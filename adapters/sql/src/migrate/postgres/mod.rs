//! What only PostgreSQL needs: limits of locks, who is in the way, and migrations that no transaction takes.

mod alone;
mod blockers;
mod concurrent_index;

use std::time::Duration;

use dolmen_ports::{Migration, MigrationSet, PortResult, TxDriver};

pub(super) use self::alone::send_alone;
pub(super) use self::blockers::watched;
use super::stepwise;
use crate::database::{SqlOptions, SqlTx};
use crate::driver::Backend;
use crate::statement::Value;

/// How long a limit holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    /// Until the transaction ends.
    Transaction,
    /// Until the connection ends.
    Session,
}

/// Bounds the wait for locks, and leaves the time of a statement open: how long a schema change takes is its author's
/// business. Returns the number of the server's process.
pub(super) async fn limit_locks(tx: &mut SqlTx, limit: Duration, span: Span) -> PortResult<i64> {
    let local = span == Span::Transaction;
    // At least a millisecond: zero would be no limit.
    let millis = limit.as_millis().max(1).to_string();
    let rows = tx
        .fetch(
            "select pg_backend_pid()::int8 as process, set_config('lock_timeout', $1, $2),
             set_config('statement_timeout', '0', $2), set_config('idle_in_transaction_session_timeout', '0', $2)",
            &[Value::Text(millis.into()), Value::Bool(local)],
        )
        .await?;
    rows.first().map_or(Ok(0), |row| row.get("process"))
}

/// Applies a migration statement by statement on a connection of its own, while `held` keeps the migration lock.
pub(super) async fn apply_apart(
    backend: &dyn Backend,
    mut held: SqlTx,
    set: &MigrationSet,
    migration: &Migration,
    options: &SqlOptions,
) -> PortResult<()> {
    // It waits for as long as the statements take, without a snapshot that they would have to wait for.
    limit_locks(&mut held, options.table_lock_timeout, Span::Transaction).await?;
    let mut tx = SqlTx::new(backend.open_apart().await?, None);
    let process = limit_locks(&mut tx, options.table_lock_timeout, Span::Session).await?;
    let result = stepwise::apply(backend, &mut tx, process, set, migration, options).await;
    drop(Box::new(tx).rollback().await);
    drop(Box::new(held).rollback().await);
    result
}
