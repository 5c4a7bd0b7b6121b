//! What processes cost that have nothing to do: statements, processor time, memory. And how soon a worker starts a job that
//! another process enqueues.

mod latency;
mod statements;

use std::time::{Duration, Instant};

use dolmen::BoxError;
use dolmen_sql::{SqlDatabase, SqlOptions};

use self::statements::Counter;
use crate::machine::memory_mib;
use crate::process::Process;
use crate::shop;

/// How long.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// Seconds that are counted
    #[arg(long)]
    seconds: u64,
    /// Seconds before: a worker that finds nothing looks ever less often
    #[arg(long)]
    settle: u64,
    /// Jobs whose start is measured
    #[arg(long)]
    probes: u64,
    /// Jobs that come after a rest
    #[arg(long)]
    rests: u64,
}

const ROLES: [&str; 3] = ["worker", "web", "scheduler"];

/// Measures both on an empty database, and prints them.
pub(crate) async fn run(url: &str, options: Options) -> Result<(), BoxError> {
    let sql = SqlDatabase::connect(url, SqlOptions::new()).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS, shop::MIGRATIONS]).await?;
    cost(url, options).await?;
    latency::measure(url, &sql, options).await
}

async fn cost(url: &str, options: Options) -> Result<(), BoxError> {
    let mut processes = Vec::new();
    for roles in ROLES {
        // The driver logs each statement that it sends.
        processes.push(Process::start(url, roles, &["--log", "warn,sqlx::query=debug"]).await?);
    }
    tokio::time::sleep(Duration::from_secs(options.settle)).await;
    let mut counter = Counter::of(url).await?;
    let (started, by_server) = (Instant::now(), counter.count().await?);
    let before = processes.iter().map(sent).collect::<Result<Vec<_>, _>>()?;
    let cpu_before: Vec<_> = processes.iter().map(Process::cpu).collect();
    tokio::time::sleep(Duration::from_secs(options.seconds)).await;
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    println!("  {:12}{:>22}{:>22}{:>14}", "", "statements a minute", "CPU ms a minute", "memory, MiB");
    let mut sum = 0.0;
    for (index, process) in processes.iter().enumerate() {
        let sent =
            sent(process)?.saturating_sub(before.get(index).copied().unwrap_or_default()) as f64 / minutes;
        let cpu = cpu_before.get(index).copied().flatten();
        let cpu = process
            .cpu()
            .zip(cpu)
            .map(|(after, before)| (after - before).0.as_secs_f64() * 1_000.0 / minutes);
        let memory = memory_mib(process.id());
        let name = ROLES.get(index).copied().unwrap_or_default();
        println!("  {name:12}{sent:22.1}{:>22}{:>14}", shown(cpu), shown(memory));
        sum += sent;
    }
    let after = counter.count().await?;
    println!(
        "  one idle process of each role, for {} s; statements as the driver logs them ({sum:.1} in all); {}",
        options.seconds,
        counter.compare(by_server, after, minutes)
    );
    for process in processes {
        process.end().await?;
    }
    Ok(())
}

/// Statements that a process has sent so far.
fn sent(process: &Process) -> Result<usize, BoxError> {
    Ok(process.log()?.lines().filter(|line| line.contains("sqlx::query")).count())
}

fn shown(value: Option<f64>) -> String {
    value.map_or_else(|| "not known".to_owned(), |value| format!("{value:.1}"))
}
