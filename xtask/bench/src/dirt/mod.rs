//! F23: a steady stream of jobs on PostgreSQL while long transactions keep what is dead from being removed.

mod phase;
mod sizes;
mod snapshots;
mod stream;

use std::time::Duration;

use dolmen::BoxError;
use dolmen_sql::{SqlDatabase, SqlOptions};
use sqlx::{Connection as _, Executor as _, PgConnection};

use self::phase::Phase;
use self::sizes::Sizes;
use self::snapshots::Snapshots;
use self::stream::Stream;
use crate::jobs::ours::tidy;
use crate::process::Process;
use crate::{seed, shop};

/// The target: the 99th of 100 claims, while transactions are held.
const LONGEST_P99_MS: f64 = 50.0;
/// The target: of the jobs that come, so many are claimed meanwhile.
const LEAST_SHARE: f64 = 0.95;

/// How much, and for how long.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// Jobs that come each second, and that the worker has time for
    #[arg(long)]
    rate: u32,
    /// Seconds with long transactions
    #[arg(long)]
    seconds: u64,
    /// Seconds that each long transaction is held; there are always three
    #[arg(long)]
    hold: u64,
    /// Seconds before, and seconds after
    #[arg(long)]
    around: u64,
    /// Jobs that are ready and stay so
    #[arg(long)]
    ready: u64,
    /// Finished jobs that are kept
    #[arg(long)]
    finished: u64,
}

/// Runs it on an empty database, and prints each phase and the sizes after it.
pub(crate) async fn run(url: &str, options: Options) -> Result<(), BoxError> {
    let sql = SqlDatabase::connect(url, SqlOptions::new().with_max_connections(16)).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS, shop::MIGRATIONS]).await?;
    let mut connection = PgConnection::connect(url).await?;
    seed::finished(&mut connection, options.finished).await?;
    seed::ready(&mut connection, options.ready).await?;
    tidy(url).await?;
    println!("{}{}", Phase::HEAD, Sizes::HEAD);
    println!("{:62}{}", "  filled", Sizes::of(&mut connection).await?);
    let pace = options.rate.to_string();
    let arguments = ["--concurrency", "64", "--pace", &pace, "--tell-claims", "--poll-ms", "250"];
    let worker = Process::start(url, "worker", &arguments).await?;
    let whole = Duration::from_secs(options.seconds + 3 * options.around);
    let stream = Stream::start(&sql, options.rate, whole);
    // The first claim reads what nobody has read before.
    tokio::time::sleep(Duration::from_secs(2)).await;
    worker.said();

    let around = Duration::from_secs(options.around);
    Phase::wait("before", &worker, around).await?.print(&mut connection).await?;
    let snapshots = Snapshots::hold(url, Duration::from_secs(options.hold)).await?;
    let quarter = Duration::from_secs(options.seconds) / 4;
    let mut during = Vec::new();
    for name in ["during, 1st quarter", "during, 2nd quarter", "during, 3rd quarter", "during, 4th quarter"] {
        let phase = Phase::wait(name, &worker, quarter).await?;
        phase.print(&mut connection).await?;
        during.push(phase);
    }
    snapshots.end().await?;
    Phase::wait("after", &worker, around).await?.print(&mut connection).await?;
    worker.end().await?;
    stream.end();
    connection.execute("vacuum dolmen_job, dolmen_job_claim").await?;
    println!("{:62}{}", "  vacuumed", Sizes::of(&mut connection).await?);
    connection.close().await?;
    judge(&during, options)
}

fn judge(during: &[Phase], options: Options) -> Result<(), BoxError> {
    let Options { rate, seconds, hold, ready, finished, .. } = options;
    println!(
        "  {rate} jobs a second come and as many may pass, beside {ready} that are ready and {finished} that are done; three \
         transactions of {hold} s that overlap, for {seconds} s"
    );
    let mut all = Phase::sum("during", during);
    let [p99] = all.claims.at([990])?;
    let share = all.per_second() / f64::from(rate);
    println!(
        "  targets, during: claim p99 at most {LONGEST_P99_MS} ms: {p99:.1}, {}; at least {LEAST_SHARE} of the jobs: \
         {share:.2}, {}",
        if p99 <= LONGEST_P99_MS { "kept" } else { "missed" },
        if share >= LEAST_SHARE { "kept" } else { "missed" }
    );
    Ok(())
}
