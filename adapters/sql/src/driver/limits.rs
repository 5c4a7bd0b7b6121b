//! Servers over a network: no answer is waited for without a limit.

use std::time::Duration;

use dolmen_ports::{ErrorKind, PortError, PortResult};
use sqlx::{Database, Pool};

use crate::error::map_error;

/// Gives up after `limit`, whatever the network does: a connection that went dark must not keep its place.
pub(crate) async fn within<T>(
    limit: Duration,
    operation: &'static str,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> PortResult<T> {
    match tokio::time::timeout(limit, work).await {
        Ok(result) => result.map_err(|error| map_error(error, operation)),
        Err(_) => Err(PortError::new(ErrorKind::Timeout, "database", operation)
            .with_detail(format!("no answer within {limit:?}"))),
    }
}

/// Closes the connections that wait in the pool: when one broke, the others most likely did.
pub(crate) fn purge<DB: Database>(pool: &Pool<DB>) {
    while let Some(connection) = pool.try_acquire() {
        drop(connection.detach());
    }
}
