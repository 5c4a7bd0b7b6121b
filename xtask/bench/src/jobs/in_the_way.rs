//! Working off a queue on PostgreSQL while something is in the way: a backlog behind, or a snapshot that is older.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use dolmen::{AppPorts, BoxError, WorkerSettings};
use dolmen_sql::SqlDatabase;
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};

use super::ours::{self, Worker};
use super::{MIGRATIONS, PATIENCE};
use crate::seed;

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InTheWay {
    Nothing,
    /// Other jobs of the queue, ready as well
    Backlog,
    /// A transaction of another session that began before the first job was there
    Snapshot,
}

/// How much.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Plan {
    #[arg(value_enum)]
    way: InTheWay,
    /// Jobs that are measured
    #[arg(long)]
    jobs: usize,
    /// Jobs behind them, where they are in the way
    #[arg(long)]
    backlog: u64,
    /// Jobs that the worker runs at once
    #[arg(long)]
    concurrency: u32,
}

/// Jobs a second on an empty database: so many, whatever comes after them.
pub(crate) async fn measure(url: &str, plan: Plan) -> Result<Value, BoxError> {
    let sql = SqlDatabase::connect(url, super::options()).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS, MIGRATIONS]).await?;
    let mut other = PgConnection::connect(url).await?;
    if plan.way == InTheWay::Snapshot {
        other.execute("begin isolation level repeatable read").await?;
        // The snapshot is taken by the first statement.
        other.execute("select count(*) from dolmen_job").await?;
    }
    ours::fill(&sql, plan.jobs).await?;
    if plan.way == InTheWay::Backlog {
        seed::ready(&mut other, plan.backlog).await?;
    }
    ours::tidy(url).await?;
    let begun = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&begun);
    let started = Instant::now();
    let settings = WorkerSettings::new().with_concurrency(plan.concurrency);
    let worker = Worker::start(AppPorts::from(sql.stores()), settings, move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    while begun.load(Ordering::Relaxed) < plan.jobs {
        if started.elapsed() > PATIENCE {
            return Err(format!("{} of {} jobs were begun", begun.load(Ordering::Relaxed), plan.jobs).into());
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let taken = started.elapsed();
    worker.end().await?;
    other.close().await?;
    Ok(json!({ "per_second": plan.jobs as f64 / taken.as_secs_f64() }))
}
