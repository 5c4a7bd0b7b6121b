//! Apalis with its backend for PostgreSQL.

use std::time::Duration;

use ::apalis::prelude::{BackendExt, BoxDynError, ParallelizeExt, TaskBuilder, TaskSink, WorkerBuilder};
use apalis_postgres::{Config, PostgresStorage};
use async_trait::async_trait;
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::load::{self, Nothing};
use crate::rival::{Best, BoxError, Rival, Running, Tally};

pub(crate) const JOBS: usize = 80_000;
const QUEUE: &str = "bench";

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    batch: usize,
    workers: usize,
    poll_ms: u64,
    listen: bool,
}

pub(crate) const SWEEP: [Settings; 6] = [
    Settings { batch: 1_000, workers: 2, poll_ms: 10, listen: false },
    Settings { batch: 1_000, workers: 1, poll_ms: 10, listen: false },
    Settings { batch: 2_000, workers: 2, poll_ms: 10, listen: false },
    Settings { batch: 1_000, workers: 4, poll_ms: 5, listen: false },
    Settings { batch: 1_000, workers: 2, poll_ms: 10, listen: true },
    Settings { batch: 100, workers: 1, poll_ms: 100, listen: true },
];
// The sweep, jobs a second and p50 of a start in ms: 28,800 and 5.5; 18,200, 22,600 and 23,500 and, with an interval alone,
// more than five jobs not started after 5 s; 21,700 and 2.5, and 3,900 and 2.7, where it listens.
pub(crate) const BEST: Best = Best { working: 0, waking: 4 };

pub(crate) struct Apalis {
    pool: PgPool,
    settings: Settings,
    storage: PostgresStorage<Nothing>,
}

impl Apalis {
    pub(crate) async fn open(url: &str, settings: Settings) -> Result<Self, BoxError> {
        let pool = PgPoolOptions::new().max_connections(20).test_before_acquire(false).connect(url).await?;
        PostgresStorage::<()>::setup(&pool).await?;
        // What is not needed costs time: a job is taken by one statement, and a result of nothing is not kept.
        let config =
            Config::default().queue(QUEUE).batch_size(settings.batch).lock_tasks(false).persist_results(true);
        let storage = PostgresStorage::new(&pool).with_config(config);
        Ok(Self { pool, settings, storage })
    }
}

async fn do_nothing(work: Nothing) -> Result<(), BoxDynError> {
    load::begin(&work);
    Ok(())
}

#[async_trait]
impl Rival for Apalis {
    #[expect(clippy::disallowed_methods, reason = "as the crate's own examples run handlers side by side")]
    async fn work(&self) -> Result<Running, BoxError> {
        let mut tasks = JoinSet::new();
        let poll = Duration::from_millis(self.settings.poll_ms);
        for number in 0..self.settings.workers {
            let (name, storage) = (format!("bench-{number}"), self.storage.clone());
            if self.settings.listen {
                let backend = storage.with_pubsub().poll_with_interval(poll);
                let worker =
                    WorkerBuilder::new(name).backend(backend).parallelize(tokio::spawn).build(do_nothing);
                tasks.spawn(worker.run());
            } else {
                let backend = storage.poll_with_interval(poll);
                let worker =
                    WorkerBuilder::new(name).backend(backend).parallelize(tokio::spawn).build(do_nothing);
                tasks.spawn(worker.run());
            }
        }
        Ok(Box::new(tasks))
    }

    async fn place(&self, order: Uuid, work: &Nothing) -> Result<(), BoxError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into bench_order (id, note) values ($1, $2)")
            .bind(order)
            .bind(&work.order)
            .execute(&mut *tx)
            .await?;
        // Its sink knows no transaction, but the statement behind it is public.
        let task = TaskBuilder::new(serde_json::to_vec(work)?).build();
        apalis_postgres::queries::push_tasks(&mut *tx, QUEUE, vec![task]).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn enqueue(&self, work: &Nothing) -> Result<(), BoxError> {
        self.storage.clone().push(work.clone()).await?;
        Ok(())
    }

    async fn enqueue_all(&self, work: &[Nothing]) -> Result<bool, BoxError> {
        self.storage.clone().push_bulk(work.to_vec()).await?;
        Ok(true)
    }

    fn is_any_left(&self) -> &'static str {
        "select exists (select from apalis.jobs where status in ('Pending', 'Queued', 'Running'))"
    }

    fn tally(&self) -> Tally {
        Tally::Done("select count(*) from apalis.jobs where status = 'Done'")
    }
}
