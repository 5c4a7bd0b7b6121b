//! The same statements by plain sqlx: the raw limit. Written as one would write them for one database, with one pool.

mod mysql;
mod postgres;
mod sqlite;

use std::sync::Arc;
use std::time::Duration;

use dolmen::{BoxError, Clock as _, EventEnvelope, IdGenerator as _, SystemClock, Uuid, UuidV7Ids};

use super::{CUSTOMER, OrderPlaced, Ship, TOTAL_MINOR};
use crate::measure::Side;

/// Longer than any lap: neither side may fail for want of a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const TIMEOUT_MS: i64 = 300_000;

pub(super) async fn connect(url: &str, writers: u32) -> Result<Arc<dyn Side>, BoxError> {
    let orders = Orders { ids: UuidV7Ids::new(), tenant: UuidV7Ids::new().next() };
    Ok(if let Some(path) = url.strip_prefix("sqlite:") {
        Arc::new(sqlite::OnSqlite::connect(path, orders).await?)
    } else if url.starts_with("mysql:") {
        Arc::new(mysql::OnMySql::connect(url, writers, orders).await?)
    } else {
        Arc::new(postgres::OnPostgres::connect(url, writers, orders).await?)
    })
}

/// What is stored: the same rows as Dolmen's.
struct Orders {
    ids: UuidV7Ids,
    tenant: Uuid,
}

impl Orders {
    fn event(&self, order: &str) -> Result<String, BoxError> {
        let placed = OrderPlaced { order: order.to_owned(), total_minor: TOTAL_MINOR };
        let payload = serde_json::to_value(placed)?;
        let envelope =
            EventEnvelope::new(self.ids.next(), "bench.order_placed.v1", SystemClock.now(), payload);
        Ok(serde_json::to_string(&envelope)?)
    }

    fn ship(order: &str) -> Result<String, BoxError> {
        Ok(serde_json::to_string(&Ship { order: order.to_owned() })?)
    }
}
