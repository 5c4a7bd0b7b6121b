//! Servers over a network: no answer is waited for without a limit.

use std::time::Duration;

use crate::error::map_error;
use dolmen_ports::{ErrorKind, PortError, PortResult};

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
