//! River for Rust.

use std::time::Duration;

use async_trait::async_trait;
use riverqueue::migrate::PostgresMigrator;
use riverqueue::{Client, Job, JobArgs, QueueConfig, WorkContext, WorkOutcome, Workers};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};
use uuid::Uuid;

use crate::load::{self, Nothing};
use crate::rival::{Best, BoxError, Rival, Running, Tally};

pub(crate) const JOBS: usize = 60_000;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    workers: usize,
    cooldown_ms: u64,
    poll_ms: u64,
    job_timeout: bool,
}

pub(crate) const SWEEP: [Settings; 6] = [
    Settings { workers: 100, cooldown_ms: 100, poll_ms: 1_000, job_timeout: true },
    Settings { workers: 1_000, cooldown_ms: 1, poll_ms: 100, job_timeout: false },
    Settings { workers: 2_000, cooldown_ms: 1, poll_ms: 100, job_timeout: false },
    Settings { workers: 4_000, cooldown_ms: 1, poll_ms: 100, job_timeout: false },
    Settings { workers: 10_000, cooldown_ms: 1, poll_ms: 100, job_timeout: false },
    Settings { workers: 100, cooldown_ms: 1, poll_ms: 1, job_timeout: false },
];
// The sweep, jobs a second and p50 of a start in ms: no end within a minute and 96 (its defaults: a fetch takes as many jobs
// as it has workers, every 100 ms); 17,000 and 2.4; 35,000 and 1.7; 28,300 and 1.8; 21,800 and 1.8; 12,700 and 2.2.
pub(crate) const BEST: Best = Best { working: 2, waking: 2 };

#[derive(Debug, Clone, Serialize, Deserialize, JobArgs)]
#[river(kind = "do_nothing")]
struct DoNothing {
    order: String,
    number: usize,
}

impl From<&Nothing> for DoNothing {
    fn from(work: &Nothing) -> Self {
        Self { order: work.order.clone(), number: work.number }
    }
}

pub(crate) struct River {
    pool: PgPool,
    client: Client,
}

impl River {
    pub(crate) async fn open(url: &str, settings: Settings) -> Result<Self, BoxError> {
        let pool = PgPoolOptions::new().max_connections(20).test_before_acquire(false).connect(url).await?;
        PostgresMigrator::new(pool.clone()).migrate_up().await?;
        let mut workers = Workers::new();
        workers.add_fn(async |_: WorkContext, job: Job<DoNothing>| {
            load::begin(&Nothing { order: job.args.order, number: job.args.number });
            Ok::<_, BoxError>(WorkOutcome::Complete)
        })?;
        let queue = QueueConfig::new(settings.workers)
            .with_fetch_poll_interval(Duration::from_millis(settings.poll_ms));
        let mut client = Client::builder(pool.clone())
            .workers(workers)
            .queue("default", queue)
            .fetch_cooldown(Duration::from_millis(settings.cooldown_ms));
        if !settings.job_timeout {
            client = client.without_job_timeout();
        }
        Ok(Self { client: client.build()?, pool })
    }
}

#[async_trait]
impl Rival for River {
    async fn work(&self) -> Result<Running, BoxError> {
        Ok(Box::new(self.client.start()?))
    }

    async fn place(&self, order: Uuid, work: &Nothing) -> Result<(), BoxError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into bench_order (id, note) values ($1, $2)")
            .bind(order)
            .bind(&work.order)
            .execute(&mut *tx)
            .await?;
        self.client.insert(DoNothing::from(work)).tx(&mut tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn enqueue(&self, work: &Nothing) -> Result<(), BoxError> {
        self.client.insert(DoNothing::from(work)).await?;
        Ok(())
    }

    async fn enqueue_all(&self, work: &[Nothing]) -> Result<bool, BoxError> {
        self.client.insert_many(work.iter().map(DoNothing::from)).await?;
        Ok(true)
    }

    fn is_any_left(&self) -> &'static str {
        "select exists (select from river_job where state in ('available', 'running', 'retryable', 'scheduled'))"
    }

    fn tally(&self) -> Tally {
        Tally::Done("select count(*) from river_job where state = 'completed'")
    }
}
