//! Graphile Worker for Rust.

use std::time::Duration;

use async_trait::async_trait;
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, TaskHandler, Worker, WorkerContext, WorkerOptions,
    WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::load::{self, Nothing};
use crate::rival::{Best, BoxError, Rival, Running, Tally};

pub(crate) const JOBS: usize = 200_000;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    concurrency: usize,
    /// Jobs of a local queue, and how many there are; without any, one statement claims one job.
    local: Option<(usize, usize)>,
    completion_ms: u64,
    poll_ms: u64,
}

pub(crate) const SWEEP: [Settings; 7] = [
    Settings { concurrency: 100, local: Some((2_000, 2)), completion_ms: 2, poll_ms: 100 },
    Settings { concurrency: 100, local: Some((1_000, 2)), completion_ms: 2, poll_ms: 100 },
    Settings { concurrency: 100, local: Some((2_000, 4)), completion_ms: 5, poll_ms: 100 },
    Settings { concurrency: 400, local: Some((2_000, 2)), completion_ms: 5, poll_ms: 100 },
    Settings { concurrency: 100, local: Some((5_000, 1)), completion_ms: 2, poll_ms: 100 },
    Settings { concurrency: 16, local: None, completion_ms: 2, poll_ms: 1 },
    Settings { concurrency: 16, local: None, completion_ms: 2, poll_ms: 1_000 },
];
// The sweep, jobs a second and p50 of a start in ms: 67,100 and 3.4; 57,500 and 4.3; 29,800 and 4.3; 24,600 and 3.6; 49,600
// and 2.9; 4,200 and 3.5; no end within a minute and 3.6. Completions in batches and a local queue are what counts.
pub(crate) const BEST: Best = Best { working: 0, waking: 4 };

#[derive(Debug, Clone, Serialize, Deserialize)]
struct DoNothing(Nothing);

impl TaskHandler for DoNothing {
    const IDENTIFIER: &'static str = "do_nothing";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        load::begin(&self.0);
        Ok::<(), String>(())
    }
}

pub(crate) struct Graphile {
    pool: PgPool,
    settings: Settings,
    utils: WorkerUtils,
}

impl Graphile {
    pub(crate) async fn open(url: &str, settings: Settings) -> Result<Self, BoxError> {
        let pool = PgPoolOptions::new().max_connections(20).test_before_acquire(false).connect(url).await?;
        let utils = worker(&pool, settings).await?.create_utils();
        Ok(Self { pool, settings, utils })
    }
}

async fn worker(pool: &PgPool, settings: Settings) -> Result<Worker, BoxError> {
    let options = WorkerOptions::default()
        .concurrency(settings.concurrency)
        .poll_interval(Duration::from_millis(settings.poll_ms))
        .complete_job_batch_delay(Duration::from_millis(settings.completion_ms))
        .listen_os_shutdown_signals(false)
        .define_job::<DoNothing>()
        .pg_pool(pool.clone());
    let options = match settings.local {
        Some((size, count)) => {
            options.local_queue(LocalQueueConfig::default().with_size(size).with_queue_count(count))
        }
        None => options,
    };
    Ok(options.init().await?)
}

#[async_trait]
impl Rival for Graphile {
    async fn work(&self) -> Result<Running, BoxError> {
        let worker = worker(&self.pool, self.settings).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move { worker.run().await });
        Ok(Box::new(tasks))
    }

    async fn place(&self, order: Uuid, work: &Nothing) -> Result<(), BoxError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into bench_order (id, note) values ($1, $2)")
            .bind(order)
            .bind(&work.order)
            .execute(&mut *tx)
            .await?;
        let job = DoNothing(work.clone());
        self.utils.clone().with_executor(&mut tx).add_job(job, JobSpec::default()).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn enqueue(&self, work: &Nothing) -> Result<(), BoxError> {
        self.utils.add_job(DoNothing(work.clone()), JobSpec::default()).await?;
        Ok(())
    }

    async fn enqueue_all(&self, work: &[Nothing]) -> Result<bool, BoxError> {
        let spec = JobSpec::default();
        let jobs: Vec<_> = work.iter().map(|work| (DoNothing(work.clone()), &spec)).collect();
        self.utils.add_jobs(&jobs).await?;
        Ok(true)
    }

    fn is_any_left(&self) -> &'static str {
        "select exists (select from graphile_worker._private_jobs)"
    }

    fn tally(&self) -> Tally {
        Tally::There("select count(*) from graphile_worker._private_jobs")
    }
}
