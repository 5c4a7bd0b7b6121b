//! On SQLite.

use std::time::Duration;

use async_trait::async_trait;
use dolmen::{BoxError, IdGenerator as _};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use super::{CUSTOMER, Orders, PATIENCE, TIMEOUT_MS, TOTAL_MINOR};
use crate::measure::Side;

pub(super) struct OnSqlite {
    pool: SqlitePool,
    orders: Orders,
}

impl OnSqlite {
    pub(super) async fn connect(path: &str, orders: Orders) -> Result<Self, BoxError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let pool = SqlitePoolOptions::new().max_connections(1).acquire_timeout(PATIENCE);
        let pool = pool.test_before_acquire(false).connect_with(options).await?;
        Ok(Self { pool, orders })
    }
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
             values (?, 'bench.invoice', 'default', 'active', ?, 0, 10, ?, ?,
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
             values (?1, 'bench.ship', 'default', 'active', ?2, 0, 10, ?3, ?4,
                 strftime('%Y-%m-%dT%H:%M:%f000Z', 'now'), strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')),
                 (?5, 'bench.ship', 'default', 'active', ?2, 0, 10, ?3, ?4,
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
