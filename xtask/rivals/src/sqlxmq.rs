//! sqlxmq.

use std::path::PathBuf;

use ::sqlxmq::{CurrentJob, JobBuilder, JobRunnerOptions};
use async_trait::async_trait;
use sqlx_of_old as sqlx;
use sqlx_of_old::postgres::{PgPool, PgPoolOptions};
use uuid::Uuid;

use crate::load::{self, Nothing};
use crate::rival::{Best, BoxError, Rival, Running, Tally};

/// Each poll reads all that wait, so that a longer queue is a slower one.
pub(crate) const JOBS: usize = 8_000;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    least: usize,
    most: usize,
    connections: u32,
    keep_alive: bool,
}

pub(crate) const SWEEP: [Settings; 5] = [
    Settings { least: 16, most: 32, connections: 20, keep_alive: true },
    Settings { least: 500, most: 1_000, connections: 20, keep_alive: true },
    Settings { least: 1_000, most: 2_000, connections: 20, keep_alive: true },
    Settings { least: 1_000, most: 2_000, connections: 20, keep_alive: false },
    Settings { least: 1_000, most: 2_000, connections: 40, keep_alive: false },
];
// The sweep, jobs a second and p50 of a start in ms: 3,400 and 1.9; 5,400 and 1.9; 5,200 and 2.0; 6,600 and 1.8; 5,800 and
// 1.8. A job that does nothing needs nobody who keeps it alive.
pub(crate) const BEST: Best = Best { working: 3, waking: 3 };

pub(crate) struct Sqlxmq {
    pool: PgPool,
    settings: Settings,
}

impl Sqlxmq {
    pub(crate) async fn open(url: &str, settings: Settings) -> Result<Self, BoxError> {
        let pool = PgPoolOptions::new().max_connections(settings.connections).test_before_acquire(false);
        let pool = pool.connect(url).await?;
        for file in migrations()? {
            sqlx::raw_sql(&std::fs::read_to_string(file)?).execute(&pool).await?;
        }
        Ok(Self { pool, settings })
    }
}

fn migrations() -> Result<Vec<PathBuf>, BoxError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(env!("MIGRATIONS_OF_SQLXMQ"))? {
        files.push(entry?.path());
    }
    files.retain(|file| file.to_string_lossy().ends_with(".up.sql"));
    files.sort();
    Ok(files)
}

async fn do_nothing(mut job: CurrentJob) -> Result<(), BoxError> {
    load::begin(&job.json()?.ok_or("a job without a payload")?);
    job.complete().await?;
    Ok(())
}

fn builder(work: &Nothing) -> Result<JobBuilder<'static>, BoxError> {
    let mut builder = JobBuilder::new("do_nothing");
    builder.set_channel_name("bench").set_json(work)?;
    Ok(builder)
}

#[async_trait]
impl Rival for Sqlxmq {
    #[expect(clippy::disallowed_methods, reason = "as the crate's own registry runs handlers")]
    async fn work(&self) -> Result<Running, BoxError> {
        let mut options = JobRunnerOptions::new(&self.pool, |job| {
            // As its registry does. A job that fails stays in the table, where the tally finds it.
            drop(tokio::spawn(do_nothing(job)));
        });
        options
            .set_concurrency(self.settings.least, self.settings.most)
            .set_keep_alive(self.settings.keep_alive)
            .set_channel_names(&["bench"]);
        Ok(Box::new(options.run().await?))
    }

    async fn place(&self, order: Uuid, work: &Nothing) -> Result<(), BoxError> {
        let mut tx = self.pool.begin().await?;
        sqlx::query("insert into bench_order (id, note) values ($1, $2)")
            .bind(order)
            .bind(&work.order)
            .execute(&mut *tx)
            .await?;
        builder(work)?.spawn(&mut *tx).await?;
        tx.commit().await?;
        Ok(())
    }

    async fn enqueue(&self, work: &Nothing) -> Result<(), BoxError> {
        builder(work)?.spawn(&self.pool).await?;
        Ok(())
    }

    async fn enqueue_all(&self, _: &[Nothing]) -> Result<bool, BoxError> {
        Ok(false)
    }

    fn is_any_left(&self) -> &'static str {
        "select exists (select from mq_msgs where id <> uuid_nil())"
    }

    fn tally(&self) -> Tally {
        Tally::There("select count(*) from mq_msgs where id <> uuid_nil()")
    }
}
