//! S68: how long requests take while jobs flood the machine, with the worker in another process and in the same.

use std::fmt;
use std::time::Duration;

use dolmen::{AppPorts, BoxError};
use dolmen_sql::{SqlDatabase, SqlOptions};

use crate::generator::{self, Plan};
use crate::jobs::ours::forget_claims;
use crate::machine::cores;
use crate::process::Process;
use crate::shop::{self, Burn};

/// How much, and for how long.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// Requests a second
    #[arg(long)]
    rate: f64,
    /// Seconds of each arrangement
    #[arg(long)]
    seconds: u64,
    /// Microseconds that each job of the flood computes
    #[arg(long)]
    burn_us: u64,
}

/// Which process does what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Arrangement {
    is_apart: bool,
    is_flooded: bool,
}

impl fmt::Display for Arrangement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let flood = if self.is_flooded { "a flood" } else { "no flood" };
        let place = if self.is_apart { "web and worker apart" } else { "one process for all" };
        write!(f, "{place}, {flood}")
    }
}

/// Runs all arrangements, one after the other.
pub(crate) async fn run(url: &str, options: Options) -> Result<(), BoxError> {
    let sql = SqlDatabase::connect(url, SqlOptions::new()).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS, shop::MIGRATIONS]).await?;
    println!(
        "  {:34}{:>8}{:>10}{:>11}{:>8}{:>8}{:>9}{:>14}",
        "", "requests", "accepted", "p50, ms", "p99", "p99.9", "longest", "flood jobs/s"
    );
    let mut first_number = 0;
    for (is_apart, is_flooded) in [(true, false), (true, true), (false, false), (false, true)] {
        let arrangement = Arrangement { is_apart, is_flooded };
        first_number = lap(url, &sql, options, arrangement, first_number).await?;
    }
    let Options { rate, seconds, burn_us } = options;
    println!(
        "  {rate} requests a second for {seconds} s, each a transaction with an order and a job; a job of the flood computes \
         for {burn_us} us, and there are always more;\n  worker, web, load generator and database on one machine of {} \
         cores; latency counts from when a request should have been sent",
        cores()
    );
    Ok(())
}

/// Measures one of them; returns the first number that is free.
async fn lap(
    url: &str,
    sql: &SqlDatabase,
    options: Options,
    arrangement: Arrangement,
    first_number: u64,
) -> Result<u64, BoxError> {
    let ports = &shop::idle(sql);
    let mut processes = Vec::new();
    if arrangement.is_apart {
        processes.push(Process::start(url, "web", &[]).await?);
        processes.push(Process::start(url, "worker", &[]).await?);
    } else {
        processes.push(Process::start(url, "all", &[]).await?);
    }
    let address = processes.first().ok_or("no process was started")?.address()?;
    let plan = Plan {
        address,
        per_second: options.rate,
        time: Duration::from_secs(2),
        connections: 64,
        first_number,
    };
    let warm = generator::send(plan).await?;
    let first_number = first_number + warm.asked();
    let flood = if arrangement.is_flooded { fill(ports, options).await? } else { 0 };
    let before = left(ports).await?;
    let plan = Plan { time: Duration::from_secs(options.seconds), first_number, ..plan };
    let mut answers = generator::send(plan).await?;
    let after = left(ports).await?;
    if arrangement.is_flooded && after == 0 {
        return Err(format!("the {flood} jobs of the flood were done too soon").into());
    }
    let [p50, p99, p999, longest] = answers.times.at([500, 990, 999, 1_000])?;
    println!(
        "  {:34}{:>8}{:>10}{p50:11.2}{p99:8.2}{p999:8.2}{longest:9.1}{:14.0}",
        arrangement.to_string(),
        answers.asked(),
        answers.accepted.len(),
        before.saturating_sub(after) as f64 / options.seconds as f64
    );
    for process in processes {
        process.end().await?;
    }
    empty(ports).await?;
    forget_claims(sql).await?;
    Ok(first_number + answers.asked())
}

/// More jobs than all cores can do in the time.
async fn fill(ports: &AppPorts, options: Options) -> Result<u64, BoxError> {
    let burn = Burn { micros: options.burn_us };
    let most = (options.seconds + 10) * cores() as u64 * 1_000_000 / options.burn_us.max(50);
    let burns = vec![burn; 1_000];
    for _ in 0..most.div_ceil(1_000) {
        ports.database().system().write(async |tx| ports.jobs().enqueue_all(tx, &burns).await).await?;
    }
    Ok(most)
}

/// Jobs of the flood that are not done.
async fn left(ports: &AppPorts) -> Result<u64, BoxError> {
    let database = ports.database().clone();
    let read = database.system().read(async |tx| {
        dolmen_sql::statement!(
            "dolmen",
            "select count(*) from dolmen_job where state = 'active' and queue = 'flood'"
        )
        .fetch_one::<(i64,)>(tx)
        .await
    });
    Ok(u64::try_from(read.await?.0)?)
}

/// What is left must not burden the next arrangement.
async fn empty(ports: &AppPorts) -> Result<(), BoxError> {
    let database = ports.database().clone();
    let write = database.system().write(async |tx| {
        dolmen_sql::statement!("dolmen", "delete from dolmen_job where state = 'active' and queue = 'flood'")
            .execute(tx)
            .await
    });
    write.await?;
    Ok(())
}
