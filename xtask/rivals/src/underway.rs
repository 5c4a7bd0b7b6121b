//! Underway.

use std::sync::Arc;

use ::underway::{Queue, Task, Worker, task};
use async_trait::async_trait;
use jiff::ToSpan as _;
use sqlx_of_old as sqlx;
use sqlx_of_old::postgres::{PgPool, PgPoolOptions};
use sqlx_of_old::{Postgres, Transaction};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::load::{self, Nothing};
use crate::rival::{Best, BoxError, Rival, Running, Tally};

/// Each claim sorts all that wait, so that a longer queue is a slower one.
pub(crate) const JOBS: usize = 2_000;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    concurrency: usize,
    connections: u32,
}

pub(crate) const SWEEP: [Settings; 4] = [
    Settings { concurrency: 2, connections: 20 },
    Settings { concurrency: 8, connections: 20 },
    Settings { concurrency: 16, connections: 40 },
    Settings { concurrency: 32, connections: 70 },
];
// The sweep, jobs a second and p50 of a start in ms: 668 and 1.9; 690 and 2.2; 670 and 2.0; 689 and 1.9. The database is what
// it waits for, so that the settings hardly matter.
pub(crate) const BEST: Best = Best { working: 3, waking: 3 };

struct DoNothing;

impl Task for DoNothing {
    type Input = Nothing;
    type Output = ();

    async fn execute(&self, _: Transaction<'_, Postgres>, work: Nothing) -> task::Result<()> {
        load::begin(&work);
        Ok(())
    }
}

pub(crate) struct Underway {
    pool: PgPool,
    settings: Settings,
    queue: Arc<Queue<DoNothing>>,
}

impl Underway {
    pub(crate) async fn open(url: &str, settings: Settings) -> Result<Self, BoxError> {
        let pool = PgPoolOptions::new().max_connections(settings.connections).test_before_acquire(false);
        let pool = pool.connect(url).await?;
        ::underway::run_migrations(&pool).await?;
        let queue = Queue::builder().name("bench").pool(pool.clone()).build().await?;
        Ok(Self { pool, settings, queue: Arc::new(queue) })
    }
}

#[async_trait]
impl Rival for Underway {
    async fn work(&self) -> Result<Running, BoxError> {
        let mut worker = Worker::new(Arc::clone(&self.queue), DoNothing);
        worker.set_concurrency_limit(self.settings.concurrency);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { worker.run_every(1.second()).await });
        Ok(Box::new(tasks))
    }

    async fn place(&self, order: Uuid, work: &Nothing) -> Result<(), BoxError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into bench_order (id, note) values ($1, $2)")
            .bind(order)
            .bind(&work.order)
            .execute(&mut *tx)
            .await?;
        self.queue.enqueue(&mut *tx, &DoNothing, work).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn enqueue(&self, work: &Nothing) -> Result<(), BoxError> {
        self.queue.enqueue(&self.pool, &DoNothing, work).await?;
        Ok(())
    }

    async fn enqueue_all(&self, work: &[Nothing]) -> Result<bool, BoxError> {
        self.queue.enqueue_multi(&self.pool, &DoNothing, work).await?;
        Ok(true)
    }

    fn is_any_left(&self) -> &'static str {
        "select exists (select from underway.task where state in ('pending', 'in_progress'))"
    }

    fn tally(&self) -> Tally {
        Tally::Done("select count(*) from underway.task where state = 'succeeded'")
    }
}
