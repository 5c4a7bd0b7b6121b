//! The lock that lets one process migrate at a time.

use std::time::Duration;

use dolmen_ports::{ErrorKind, PortError, PortResult};
use tokio::time::Instant;

use crate::database::SqlTx;
use crate::driver::{Backend, Mode};

/// Opens a transaction that holds the lock, which ends with the transaction: no lock outlives a killed process.
pub(super) async fn in_transaction(backend: &dyn Backend, limit: Duration) -> PortResult<SqlTx> {
    let deadline = Instant::now() + limit;
    loop {
        match backend.open(Mode::Write).await {
            Ok(mut session) => {
                if backend.lock_migrations(&mut *session).await? {
                    return Ok(SqlTx::new(session, None));
                }
                session.rollback().await?;
            }
            Err(error) if error.kind() == ErrorKind::Contention => {}
            Err(error) => return Err(error),
        }
        wait(deadline, limit).await?;
    }
}

/// Takes the lock on a connection of its own: it holds for all statements, committed or not, and ends with the connection.
#[cfg(feature = "mysql")]
pub(super) async fn on_connection(backend: &dyn Backend, limit: Duration) -> PortResult<SqlTx> {
    let mut session = backend.open_apart().await?;
    let deadline = Instant::now() + limit;
    while !backend.lock_migrations(&mut *session).await? {
        wait(deadline, limit).await?;
    }
    Ok(SqlTx::new(session, None))
}

/// Waits before the lock is tried again, unless its time is over.
async fn wait(deadline: Instant, limit: Duration) -> PortResult<()> {
    if Instant::now() >= deadline {
        return Err(PortError::new(ErrorKind::Timeout, "database", "migrate").with_detail(format!(
            "migrate/locked: another process held the migration lock for {limit:?}; see whether its run hangs, then \
             try again"
        )));
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}
