//! Jobs that do nothing: what the queue costs, and nothing else. One measurement a run, printed as one line of JSON.
//!
//! The parent gives every run an empty database, and runs all sides in turns, those of other job queues among them.

mod enqueue;
pub(crate) mod in_the_way;
pub(crate) mod ours;
mod plain;
mod start;

use std::time::Duration;

use clap::ValueEnum;
use dolmen::{
    App, AppPorts, BoxError, InlineModule, Job, JobContext, JobError, MigrationSet, ModuleName, migrations,
};
use dolmen_sql::{SqlDatabase, SqlOptions};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::plain::Design;

pub(crate) const NAME: ModuleName = ModuleName::new("bench");
const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_bench_jobs");

/// Longer than any run.
pub(crate) const PATIENCE: Duration = Duration::from_mins(5);

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measure {
    /// Jobs a second of a queue that was filled before
    Process,
    /// Transactions a second, each with one row of the business and one job
    EnqueueOne,
    /// Jobs a second, a thousand a call
    EnqueueMany,
    /// Milliseconds until an idle worker starts a job
    Start,
}

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Side {
    Dolmen,
    /// The statements of Dolmen, sent by hand
    LeasePerClaim,
    /// The same, with a task for each job, which only differs in how it works off
    TaskPerJob,
    /// The other design by plain statements, which only differs in how it works off
    LeasePerJob,
}

/// How much is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Plan {
    #[arg(value_enum)]
    measure: Measure,
    #[arg(value_enum)]
    side: Side,
    /// process: jobs that wait
    #[arg(long, default_value_t = 200_000)]
    jobs: usize,
    /// process: jobs that a worker of Dolmen runs at once
    #[arg(long, default_value_t = 4_000)]
    concurrency: u32,
    /// enqueue-one, enqueue-many: how long
    #[arg(long, default_value_t = 4)]
    seconds: u64,
}

/// Two fields, as the smallest useful payload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Nothing {
    order: String,
    number: usize,
}

impl Nothing {
    pub(crate) fn many(count: usize) -> Vec<Self> {
        (0..count).map(|number| Self { order: "01234567890123456789".to_owned(), number }).collect()
    }
}

impl Job for Nothing {
    const KIND: &'static str = "bench.do_nothing";
}

fn options() -> SqlOptions {
    SqlOptions::new().with_max_connections(16)
}

/// Measures it on an empty database.
pub(crate) async fn measure(url: &str, plan: Plan) -> Result<Value, BoxError> {
    let sql = SqlDatabase::connect(url, options()).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS, MIGRATIONS]).await?;
    match (plan.measure, plan.side) {
        (Measure::Process, side) => {
            ours::fill(&sql, plan.jobs).await?;
            let taken = match side {
                Side::Dolmen => ours::work_off(&sql, url, &plan).await?,
                Side::LeasePerClaim => {
                    plain::work_off(url, Design::LeasePerClaim { task_per_job: false }, plan.jobs).await?
                }
                Side::TaskPerJob => {
                    plain::work_off(url, Design::LeasePerClaim { task_per_job: true }, plan.jobs).await?
                }
                Side::LeasePerJob => plain::work_off(url, Design::LeasePerJob, plan.jobs).await?,
            };
            Ok(json!({ "per_second": plan.jobs as f64 / taken.as_secs_f64(), "jobs": plan.jobs }))
        }
        (Measure::EnqueueOne | Measure::EnqueueMany, side) => {
            let per_second = enqueue::measure(&sql, url, side, plan.measure, plan.seconds).await?;
            Ok(json!({ "per_second": per_second }))
        }
        (Measure::Start, Side::Dolmen) => start::measure(&sql).await,
        (Measure::Start, _) => Err("plain statements have no worker that sleeps".into()),
    }
}

/// Jobs that nobody works off yet; enqueueing needs to know the kinds that there are.
fn idle(sql: &SqlDatabase) -> AppPorts {
    let module = InlineModule::new(NAME.as_str(), |registrar| {
        registrar.job(async |_: Nothing, _: JobContext| Ok::<_, JobError>(()));
    });
    let ports = AppPorts::from(sql.stores());
    drop(App::builder(ports.clone()).module(module).build());
    ports
}
