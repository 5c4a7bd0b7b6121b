//! By plain statements on PostgreSQL, into the table that Dolmen has: the raw limit.

use async_trait::async_trait;
use dolmen::{BoxError, IdGenerator as _, Uuid, UuidV7Ids};
use sqlx::postgres::{PgPool, PgPoolOptions};

use super::{Nothing, WRITERS, Writer};

const ORDER: &str = "insert into bench_order (id, note) values ($1, $2)";
/// The statement that Dolmen sends, with as many values.
const JOB: &str = "insert into dolmen_job
    (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload, version, ordering_key, unique_key, unique_states,
     unique_period, due_at, created_at)
values ($1, $2, $3, 'active', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13,
    coalesce(to_timestamp($14), statement_timestamp() + $15 * interval '1 microsecond'), statement_timestamp())";
const JOBS: &str = "insert into dolmen_job
    (id, kind, queue, state, priority, max_attempts, timeout_ms, payload, due_at, created_at)
select id, 'bench.do_nothing', 'default', 'active', 0, 10, 300000, payload, statement_timestamp(), statement_timestamp()
from unnest($1::uuid[], $2::text[]) as job (id, payload)";

pub(super) struct Plain {
    pool: PgPool,
    ids: UuidV7Ids,
}

impl Plain {
    pub(super) async fn connect(url: &str) -> Result<Self, BoxError> {
        let pool = PgPoolOptions::new().max_connections(u32::try_from(WRITERS)?).test_before_acquire(false);
        Ok(Self { pool: pool.connect(url).await?, ids: UuidV7Ids::new() })
    }
}

#[async_trait]
impl Writer for Plain {
    async fn place(&self, work: &Nothing) -> Result<(), BoxError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query(ORDER).bind(self.ids.next()).bind(&work.order).execute(&mut *tx).await?;
        let payload = serde_json::to_string(work)?;
        let job = sqlx::query(JOB)
            .bind(self.ids.next())
            .bind("bench.do_nothing")
            .bind("default")
            .bind(None::<Uuid>)
            .bind(0_i16)
            .bind(10_i32)
            .bind(300_000_i64)
            .bind(payload)
            .bind(1_i32)
            .bind(None::<&str>)
            .bind(None::<&str>)
            .bind(1_i16)
            .bind(0_i64)
            .bind(None::<f64>)
            .bind(0_i64);
        job.execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn enqueue_all(&self, work: &[Nothing]) -> Result<(), BoxError> {
        let ids: Vec<Uuid> = work.iter().map(|_| self.ids.next()).collect();
        let payloads: Result<Vec<String>, _> = work.iter().map(serde_json::to_string).collect();
        sqlx::query(JOBS).bind(ids).bind(payloads?).execute(&self.pool).await?;
        Ok(())
    }
}
