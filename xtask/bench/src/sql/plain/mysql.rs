//! On MariaDB or MySQL.

use async_trait::async_trait;
use dolmen::{BoxError, IdGenerator as _};
use sqlx::Executor as _;
use sqlx::mysql::{MySqlPool, MySqlPoolOptions};

use super::{CUSTOMER, Orders, PATIENCE, TIMEOUT_MS, TOTAL_MINOR};
use crate::measure::Side;

pub(super) struct OnMySql {
    pool: MySqlPool,
    orders: Orders,
}

impl OnMySql {
    pub(super) async fn connect(url: &str, writers: u32, orders: Orders) -> Result<Self, BoxError> {
        let pool = MySqlPoolOptions::new().max_connections(writers).acquire_timeout(PATIENCE);
        // As Dolmen's transactions.
        let pool = pool.after_connect(|connection, _| {
            Box::pin(async move {
                connection.execute("set session transaction isolation level read committed").await.map(drop)
            })
        });
        let pool = pool.test_before_acquire(false).connect(url).await?;
        Ok(Self { pool, orders })
    }
}

#[async_trait]
impl Side for OnMySql {
    async fn work(&self) -> Result<(), BoxError> {
        let Orders { ids, tenant } = &self.orders;
        let id = ids.next();
        let order = id.to_string();
        let mut tx = self.pool.begin().await?;
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
             values (?, 'bench.invoice', 'default', 'active', ?, 0, 10, ?, ?, utc_timestamp(6),
                 utc_timestamp(6))",
        )
        .bind(ids.next())
        .bind(tenant)
        .bind(TIMEOUT_MS)
        .bind(self.orders.event(&order)?)
        .execute(&mut *tx)
        .await?;
        let ship = Orders::ship(&order)?;
        sqlx::query(
            "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
                 due_at, created_at)
             values (?, 'bench.ship', 'default', 'active', ?, 0, 10, ?, ?, utc_timestamp(6),
                 utc_timestamp(6)),
                 (?, 'bench.ship', 'default', 'active', ?, 0, 10, ?, ?, utc_timestamp(6),
                 utc_timestamp(6))",
        )
        .bind(ids.next())
        .bind(tenant)
        .bind(TIMEOUT_MS)
        .bind(&ship)
        .bind(ids.next())
        .bind(tenant)
        .bind(TIMEOUT_MS)
        .bind(&ship)
        .execute(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
