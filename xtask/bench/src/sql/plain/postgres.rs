//! On PostgreSQL.

use async_trait::async_trait;
use dolmen::{BoxError, IdGenerator as _};
use sqlx::postgres::{PgPool, PgPoolOptions};

use super::{CUSTOMER, Orders, PATIENCE, TIMEOUT_MS, TOTAL_MINOR};
use crate::measure::Side;

pub(super) struct OnPostgres {
    pool: PgPool,
    orders: Orders,
}

impl OnPostgres {
    pub(super) async fn connect(url: &str, writers: u32, orders: Orders) -> Result<Self, BoxError> {
        let pool = PgPoolOptions::new().max_connections(writers).acquire_timeout(PATIENCE);
        let pool = pool.test_before_acquire(false).connect(url).await?;
        Ok(Self { pool, orders })
    }
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
             values ($1, 'bench.invoice', 'default', 'active', $2, 0, 10, $3, $4, statement_timestamp(),
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
             values ($1, 'bench.ship', 'default', 'active', $2, 0, 10, $3, $4, statement_timestamp(),
                 statement_timestamp()),
                 ($5, 'bench.ship', 'default', 'active', $2, 0, 10, $3, $4, statement_timestamp(),
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
