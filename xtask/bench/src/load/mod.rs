//! S2 and S3: requests and jobs at once, at a constant rate. An event is what the application has to react to: a request, which
//! stores an order and enqueues a job in one transaction, or that job, which stores a shipment in the transaction that completes
//! it. So half of the events are requests.

mod highest;
mod lap;
mod outcome;
mod shares;

use std::time::Duration;

use dolmen::BoxError;
use dolmen_sql::{SqlDatabase, SqlOptions};

use self::lap::Site;
use crate::process::Process;
use crate::shop;

/// How much, and for how long.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Options {
    /// Events a second, half of them requests
    #[arg(long)]
    rate: f64,
    /// Seconds
    #[arg(long)]
    seconds: u64,
    /// Requests that are under way at most
    #[arg(long)]
    connections: usize,
    /// Jobs that the worker runs at once
    #[arg(long)]
    concurrency: u32,
    /// Find the highest rate that holds instead, beginning with `rate`; each step takes `seconds`
    #[arg(long)]
    highest: bool,
}

impl Options {
    fn time(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }

    fn requests_per_second(&self) -> f64 {
        self.rate / 2.0
    }
}

/// Runs it on an empty database and prints what came of it.
pub(crate) async fn run(url: &str, options: Options) -> Result<(), BoxError> {
    let sql = SqlDatabase::connect(url, SqlOptions::new()).await?;
    sql.database().migrate(&[dolmen_sql::MIGRATIONS, shop::MIGRATIONS]).await?;
    let concurrency = options.concurrency.to_string();
    let web = Process::start(url, "web", &["--connections", "16"]).await?;
    let worker =
        Process::start(url, "worker", &["--connections", "16", "--concurrency", &concurrency]).await?;
    let mut site = Site::new(url, sql, web, worker).await?;
    println!(
        "one process for the web, one worker with {} jobs at once, the load generator with {} connections and the \
         database on one machine of {} cores",
        options.concurrency,
        options.connections,
        crate::machine::cores()
    );
    // Connections are opened, statements prepared, files grown.
    site.lap(&Options { rate: 200.0, seconds: 2, ..options }).await?;
    let outcome = if options.highest {
        highest::find(&mut site, options).await
    } else {
        once(&mut site, options).await
    };
    site.end().await?;
    outcome
}

async fn once(site: &mut Site, options: Options) -> Result<(), BoxError> {
    let mut lap = site.lap(&options).await?;
    println!("{}", outcome::Outcome::HEAD);
    println!("{}", lap.outcome.shown()?);
    println!("  {}", lap.shares);
    let Options { rate, seconds, .. } = options;
    println!(
        "  an event is a request, which writes and enqueues a job, or that job; {rate} a second for {seconds} s"
    );
    lap.outcome.judged()
}
