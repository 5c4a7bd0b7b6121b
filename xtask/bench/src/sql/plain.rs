//! The same statements by plain sqlx: the raw limit. Written as one would write them for one database, with one pool.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen::{BoxError, Clock as _, EventEnvelope, IdGenerator as _, SystemClock, Uuid, UuidV7Ids};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{CUSTOMER, OrderPlaced, Ship, TOTAL_MINOR};
use crate::measure::Side;

/// Longer than any lap: neither side may fail for want of a connection.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

const TIMEOUT_MS: i64 = 300_000;

pub(super) async fn connect(url: &str, writers: u32) -> Result<Arc<dyn Side>, BoxError> {
    let orders = Orders { ids: UuidV7Ids::new(), tenant: UuidV7Ids::new().next() };
    if let Some(path) = url.strip_prefix("sqlite:") {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let pool = pool.test_before_acquire(false).connect_with(options).await?;
        return Ok(Arc::new(OnSqlite { pool, orders }));
    }
    let pool = PgPoolOptions::new().max_connections(writers).acquire_timeout(PATIENCE);
    let pool = pool.test_before_acquire(false).connect(url).await?;
    Ok(Arc::new(OnPostgres { pool, orders }))
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

struct OnPostgres {
    pool: PgPool,
    orders: Orders,
}

#[async_trait]
impl Side for OnPostgres {
    async fn work(&self) -> Result<(), BoxError> {
        let Orders { ids, tenant } = &self.orders;
        let id = ids.next();
        let order = id.to_string();
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into bench_order (id, tenant, customer, total_minor) values ($1, $2, $3, $4)")
            .bind(id)
            .bind(tenant)
            .bind(CUSTOMER)
            .bind(TOTAL_MINOR)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
                 due_at, created_at)
             values ($1, 'bench.invoice', 'default', 'ready', $2, 0, 10, $3, $4, statement_timestamp(),
                 statement_timestamp())",
        )
        .bind(ids.next())
        .bind(tenant)
        .bind(TIMEOUT_MS)
        .bind(self.orders.event(&order)?)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
                 due_at, created_at)
             values ($1, 'bench.ship', 'default', 'ready', $2, 0, 10, $3, $4, statement_timestamp(),
                 statement_timestamp()),
                 ($5, 'bench.ship', 'default', 'ready', $2, 0, 10, $3, $4, statement_timestamp(),
                 statement_timestamp())",
        )
        .bind(ids.next())
        .bind(tenant)
        .bind(TIMEOUT_MS)
        .bind(Orders::ship(&order)?)
        .bind(ids.next())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}

struct OnSqlite {
    pool: SqlitePool,
    orders: Orders,
}

#[async_trait]
impl Side for OnSqlite {
    async fn work(&self) -> Result<(), BoxError> {
        let Orders { ids, tenant } = &self.orders;
        let id = ids.next();
        let order = id.to_string();
        let mut tx = self.pool.begin_with("begin immediate").await?;
        sqlx::query("insert into bench_order (id, tenant, customer, total_minor) values (?, ?, ?, ?)")
            .bind(id)
            .bind(tenant)
            .bind(CUSTOMER)
            .bind(TOTAL_MINOR)
            .execute(&mut *tx)
            .await?;
        sqlx::query(
            "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
                 due_at, created_at)
             values (?, 'bench.invoice', 'default', 'ready', ?, 0, 10, ?, ?,
                 strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))",
        )
        .bind(ids.next())
        .bind(tenant)
        .bind(TIMEOUT_MS)
        .bind(self.orders.event(&order)?)
        .execute(&mut *tx)
        .await?;
        sqlx::query(
            "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
                 due_at, created_at)
             values (?1, 'bench.ship', 'default', 'ready', ?2, 0, 10, ?3, ?4,
                 strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
                 (?5, 'bench.ship', 'default', 'ready', ?2, 0, 10, ?3, ?4,
                 strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'))",
        )
        .bind(ids.next())
        .bind(tenant)
        .bind(TIMEOUT_MS)
        .bind(Orders::ship(&order)?)
        .bind(ids.next())
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
