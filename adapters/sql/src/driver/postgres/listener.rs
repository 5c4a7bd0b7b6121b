//! Hearing NOTIFY, on a connection of its own.

use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::PortResult;
use sqlx::Executor as _;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use tokio::time::timeout;

use crate::driver::Listener;
use crate::driver::limits::within;
use crate::error::map_error;

/// After so long in silence the server is asked whether it is still there: a network can go dark without a word.
const SILENCE: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub(super) struct PostgresListener {
    inner: PgListener,
    limit: Duration,
}

impl PostgresListener {
    pub(super) async fn connect(
        options: PgConnectOptions,
        channel: &str,
        limit: Duration,
    ) -> PortResult<Self> {
        let pool = PgPoolOptions::new().max_connections(1).acquire_timeout(limit).connect_lazy_with(options);
        let mut inner = PgListener::connect_with(&pool).await.map_err(|error| map_error(error, "listen"))?;
        // A connection that is lost is told of, not quietly replaced: what was notified meanwhile is lost with it.
        inner.eager_reconnect(false);
        within(limit, "listen", inner.listen(channel)).await?;
        Ok(Self { inner, limit })
    }
}

#[async_trait]
impl Listener for PostgresListener {
    async fn hear(&mut self) -> PortResult<String> {
        loop {
            match timeout(SILENCE, self.inner.try_recv()).await {
                Ok(Ok(Some(notification))) => return Ok(notification.payload().to_owned()),
                Ok(Ok(None)) => return Err(map_error(sqlx::Error::PoolClosed, "listen")),
                Ok(Err(error)) => return Err(map_error(error, "listen")),
                Err(_) => {
                    within(self.limit, "listen", self.inner.execute("select 1")).await?;
                }
            }
        }
    }
}
