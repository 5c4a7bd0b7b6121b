//! Working off a queue of jobs that do nothing: what the queue costs, and nothing else.

mod ours;
mod plain;

use std::fmt;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dolmen::{BoxError, Job};
use dolmen_sql::{SqlDatabase, SqlOptions};
use serde::{Deserialize, Serialize};

/// How much is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Plan {
    /// Rounds; in each, every side runs once, and who begins changes
    #[arg(long, default_value_t = 5)]
    rounds: u32,
    /// Jobs that wait when a side begins
    #[arg(long, default_value_t = 200_000)]
    jobs: usize,
    /// Jobs that a worker of Dolmen runs at once
    #[arg(long, default_value_t = 1_000)]
    concurrency: u32,
}

/// Two fields, as the smallest useful payload.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Nothing {
    order: String,
    number: usize,
}

impl Job for Nothing {
    const KIND: &'static str = "bench.do_nothing";
}

/// A way to work off the queue.
#[async_trait]
trait Side: Send + Sync {
    fn name(&self) -> &'static str;

    /// Before the clock starts.
    async fn set_up(&self) -> Result<(), BoxError>;

    /// Works until no job is left.
    async fn work_off(&self) -> Result<(), BoxError>;

    /// How many jobs are done.
    async fn done(&self) -> Result<usize, BoxError>;
}

/// Jobs a second of each side, round by round.
pub(crate) struct Report {
    plan: Plan,
    sides: Vec<(&'static str, Vec<f64>)>,
}

fn options() -> SqlOptions {
    SqlOptions::new().with_max_connections(16)
}

/// Runs all sides in turns, each on a table that was filled for it.
pub(crate) async fn race(url: &str, plan: Plan) -> Result<Report, BoxError> {
    let sql = SqlDatabase::connect(url, options()).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS]).await?;
    let queue = plain::Queue::connect(url).await?;
    let mut sides: Vec<Box<dyn Side>> = vec![Box::new(ours::Ours::new(url, plan.concurrency))];
    sides.extend(plain::sides(&queue).into_iter().map(|side| Box::new(side) as Box<dyn Side>));
    let mut report: Vec<(&'static str, Vec<f64>)> =
        sides.iter().map(|side| (side.name(), Vec::new())).collect();
    for round in 0..plan.rounds {
        let mut order: Vec<usize> = (0..sides.len()).collect();
        if round % 2 == 1 {
            order.reverse();
        }
        for index in order {
            queue.fill(&sql, plan.jobs).await?;
            let (Some(side), Some((name, figures))) = (sides.get(index), report.get_mut(index)) else {
                continue;
            };
            side.set_up().await?;
            let started = Instant::now();
            side.work_off().await?;
            figures.push(plan.jobs as f64 / started.elapsed().as_secs_f64());
            let done = side.done().await?;
            if done != plan.jobs {
                return Err(format!("{name}: {done} of {} jobs are done", plan.jobs).into());
            }
        }
    }
    Ok(Report { plan, sides: report })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { rounds, jobs, concurrency } = self.plan;
        writeln!(f, "{jobs} jobs that do nothing, {concurrency} at once, {rounds} rounds, medians")?;
        for (name, figures) in &self.sides {
            writeln!(f, "  {name:35}{:9.0} jobs a second", crate::measure::median(figures.clone()))?;
        }
        let Some(((_, ours), others)) = self.sides.split_first() else { return Ok(()) };
        for (name, figures) in others {
            let ratios = ours.iter().zip(figures).map(|(ours, other)| ours / other).collect();
            writeln!(f, "  ratio to {name:26}{:9.2}", crate::measure::median(ratios))?;
        }
        Ok(())
    }
}

/// Longer than any round.
const PATIENCE: Duration = Duration::from_mins(5);
