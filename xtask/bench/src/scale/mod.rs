//! S50: the same jobs with one worker process, with two, with four, on one database.

mod work;

use std::time::{Duration, Instant};

use dolmen::{AppPorts, BoxError, QueueName, WriteTx};
use dolmen_sql::{SqlDatabase, SqlOptions};

use self::work::Work;
use crate::jobs::PATIENCE;
use crate::jobs::ours::{forget_claims, is_any_left, tidy};
use crate::machine::{Cpu, DatabaseServer, cores};
use crate::process::Process;
use crate::shop;

/// How much.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Options {
    /// Seconds that one process should take with each kind of job, about
    #[arg(long)]
    seconds: usize,
    /// Numbers of processes
    #[arg(long, value_delimiter = ',', default_values_t = [1, 2, 4])]
    processes: Vec<usize>,
}

/// Jobs a second, and who was busy meanwhile.
struct Lap {
    per_second: f64,
    database: Option<f64>,
    workers: Option<f64>,
}

/// Measures all kinds of jobs with all numbers of processes.
pub(crate) async fn run(url: &str, options: Options) -> Result<(), BoxError> {
    let sql = SqlDatabase::connect(url, SqlOptions::new()).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS, shop::MIGRATIONS]).await?;
    let ports = shop::idle(&sql);
    let server = DatabaseServer::of(url).await;
    println!(
        "  {:42}{:>10}{:>9}{:>9}{:>10}{:>16}{:>15}",
        "each job", "processes", "jobs", "jobs/s", "of one", "database, cores", "workers, cores"
    );
    for work in Work::ALL {
        let jobs = work.about_a_second() * options.seconds;
        let mut one = None;
        for processes in &options.processes {
            work.fill(&sql, &ports, jobs).await?;
            let lap = lap(url, &sql, &ports, server, work, *processes, jobs).await?;
            let one = *one.get_or_insert(lap.per_second);
            println!(
                "  {:42}{processes:>10}{jobs:>9}{:9.0}{:8.2} x{:>16}{:>15}",
                work.to_string(),
                lap.per_second,
                lap.per_second / one,
                shown(lap.database),
                shown(lap.workers),
            );
        }
    }
    println!("  workers and database on one machine of {} cores", cores());
    Ok(())
}

/// Works off what is there; the queue is paused until all processes are ready.
async fn lap(
    url: &str,
    sql: &SqlDatabase,
    ports: &AppPorts,
    server: DatabaseServer,
    work: Work,
    processes: usize,
    jobs: usize,
) -> Result<Lap, BoxError> {
    forget_claims(sql).await?;
    tidy(url).await?;
    set_paused(ports, true).await?;
    let concurrency = work.concurrency();
    let arguments = ["--concurrency", concurrency, "--connections", "16", "--poll-ms", "50"];
    let mut workers = Vec::new();
    for _ in 0..processes {
        workers.push(Process::start(url, "worker", &arguments).await?);
    }
    let cpu = |workers: &[Process]| workers.iter().map(Process::cpu).sum::<Option<Cpu>>();
    let (server_before, workers_before) = (server.cpu(), cpu(&workers));
    let started = Instant::now();
    set_paused(ports, false).await?;
    while is_any_left(sql).await? {
        if started.elapsed() > PATIENCE {
            return Err(format!("{processes} processes did not end {jobs} jobs").into());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let took = started.elapsed();
    let cores = |before: Option<Cpu>, after: Option<Cpu>| Some((after? - before?).cores(took));
    let lap = Lap {
        per_second: jobs as f64 / took.as_secs_f64(),
        database: cores(server_before, server.cpu()),
        workers: cores(workers_before, cpu(&workers)),
    };
    for worker in workers {
        worker.end().await?;
    }
    Ok(lap)
}

async fn set_paused(ports: &AppPorts, paused: bool) -> Result<(), BoxError> {
    let (queue, name) = (ports.queue(), QueueName::new("default"));
    let write = ports.database().system().write(async |tx: &mut WriteTx| {
        if paused { queue.pause(tx, &name).await } else { queue.resume(tx, &name).await }
    });
    Ok(write.await?)
}

fn shown(cores: Option<f64>) -> String {
    cores.map_or_else(|| "not known".to_owned(), |cores| format!("{cores:.2}"))
}
