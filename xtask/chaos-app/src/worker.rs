//! Workers and schedulers, and the tasks that they are given.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use dolmen::ports::{IdGenerator as _, NewJob};
use dolmen::{
    App, AppPorts, AppSettings, BoxError, Due, Environment, Job as _, JobId, JobQueue, LogSettings, Metrics,
    QueueName, Roles, ScheduleStore, Scope, Secret, UuidV7Ids, WorkerSettings, WriteTx, init_logging,
};
use dolmen_sql::{SqlOptions, SqlScheduleStore};

use crate::commands::Opened;
use crate::counted::Counted;
use crate::journal::Journal;
use crate::module::{ChaosModule, MarkLeaver};
use crate::sabotage::{Sabotage, SabotagedQueue};
use crate::task::{Manner, Task, TaskDoer};
use crate::ticks::{self, SabotagedTicks};
use crate::wrong_clock::WrongClock;

/// A poll that never comes.
const NEVER: Duration = Duration::from_mins(10);

#[derive(Debug, Args)]
pub(crate) struct Work {
    /// The journal.
    journal: PathBuf,
    /// What to run.
    #[arg(long, default_value = "worker")]
    roles: Roles,
    /// How long a lease holds, in milliseconds.
    #[arg(long, default_value_t = 1_000)]
    lease_ms: u64,
    /// How long a statement may take, in milliseconds.
    #[arg(long, default_value_t = 30_000)]
    statement_ms: u64,
    /// Do not hear what other processes tell of new jobs, as behind a pooler.
    #[arg(long)]
    deaf: bool,
    /// How many jobs at once. Few: a kill that takes many jobs with it says no more, and brings jobs nearer to their third
    /// death.
    #[arg(long, default_value_t = 4)]
    concurrency: u32,
    /// The longest pause between two looks for jobs, in milliseconds.
    #[arg(long, default_value_t = 250)]
    poll_ms: u64,
    /// The shortest such pause, in milliseconds.
    #[arg(long, default_value_t = 20)]
    least_poll_ms: u64,
    /// How long a shutdown waits for jobs, in milliseconds.
    #[arg(long, default_value_t = 2_000)]
    grace_ms: u64,
    /// Queues to take jobs from; none means all.
    #[arg(long, value_delimiter = ',')]
    queues: Vec<String>,
    /// How long tasks take here, in milliseconds, whatever they say themselves.
    #[arg(long)]
    task_ms: Option<u64>,
    /// Have a schedule that catches up with all ticks.
    #[arg(long)]
    backfill: bool,
    /// Have schedules of this zone, which catch up with all ticks.
    #[arg(long, value_parser = ticks::zone)]
    zone: Option<&'static str>,
    /// A file that says by how many seconds the clock is wrong.
    #[arg(long)]
    clock: Option<PathBuf>,
    /// The guard to leave out.
    #[arg(long)]
    sabotage: Option<Sabotage>,
}

impl Work {
    /// How the database is opened.
    pub(crate) fn options(&self, url: &str) -> SqlOptions {
        let mut options = SqlOptions::new().with_statement_timeout(Duration::from_millis(self.statement_ms));
        if self.deaf && url.starts_with("postgres") {
            options = options.with_transaction_pooler(true);
            let mark = if url.contains('?') { '&' } else { '?' };
            options.migration_url = Some(Secret::new(format!("{url}{mark}pgbouncer=false")));
        }
        options
    }
}

pub(crate) async fn work(opened: Opened, work: Work) -> Result<(), BoxError> {
    init_logging(&LogSettings::new(Environment::Development));
    let Opened { database, queue, .. } = opened;
    let (journal, sabotage) = (Journal::open(&work.journal)?, work.sabotage);
    let tasks = TaskDoer { journal: journal.clone(), time: work.task_ms.map(Duration::from_millis) };
    let marks = MarkLeaver { database: database.clone(), journal: journal.clone(), sabotage };
    let queue: Arc<dyn JobQueue> = match sabotage {
        Some(sabotage) => Arc::new(SabotagedQueue::new(queue, database.clone(), sabotage)),
        None => Arc::new(queue),
    };
    let schedules: Arc<dyn ScheduleStore> = match sabotage {
        Some(sabotage) => {
            let (inner, database) = (SqlScheduleStore::new(), database.clone());
            Arc::new(SabotagedTicks { inner, database, sabotage })
        }
        None => Arc::new(SqlScheduleStore::new()),
    };
    let queues = work.queues.iter().map(|name| QueueName::parse(name)).collect::<Result<_, _>>()?;
    let poll = if sabotage == Some(Sabotage::NoPoll) {
        (NEVER, NEVER)
    } else {
        (Duration::from_millis(work.least_poll_ms), Duration::from_millis(work.poll_ms))
    };
    let worker = WorkerSettings::new()
        .with_concurrency(work.concurrency)
        .with_queues(queues)
        .with_lease(Duration::from_millis(work.lease_ms))
        .with_poll(poll.0, poll.1);
    let grace = Duration::from_millis(work.grace_ms);
    // What it is in winter, for the zone that shows it.
    let zone = if sabotage == Some(Sabotage::FixedOffset) { Some("Etc/GMT-1") } else { work.zone };
    let settings = AppSettings::default().with_worker(worker).with_shutdown_grace(grace);
    let ports = AppPorts::new(database, queue, schedules)
        .with_clock(Arc::new(WrongClock(work.clock)))
        .with_metrics(Metrics::new(Counted(journal)))
        .with_migrations(dolmen_sql::MIGRATIONS);
    let app = App::builder(ports)
        .module(ChaosModule { marks, tasks, backfill: work.backfill, zone })
        .settings(settings)
        .build();
    app.run(work.roles).await?;
    Ok(())
}

#[derive(Debug, Args)]
pub(crate) struct Tasks {
    /// The journal.
    journal: PathBuf,
    /// How they take their time.
    manner: Manner,
    /// How many.
    count: usize,
    /// How long each takes, in milliseconds.
    #[arg(long, default_value_t = 5)]
    millis: u64,
    /// The queue that they wait in.
    #[arg(long, default_value = "default")]
    queue: String,
    /// When they are due: so many milliseconds from now.
    #[arg(long, default_value_t = 0)]
    in_ms: u64,
}

/// Enqueues them in one transaction.
pub(crate) async fn enqueue(opened: &Opened, tasks: Tasks) -> Result<(), BoxError> {
    let (journal, ids) = (Journal::open(&tasks.journal)?, UuidV7Ids::new());
    let payload = serde_json::to_string(&Task { manner: tasks.manner, millis: tasks.millis })?;
    let queue = QueueName::parse(&tasks.queue)?;
    let new_job = |_| {
        let mut job = NewJob::new(JobId::new(ids.next()), Task::KIND, payload.clone(), Scope::System);
        job.queue = queue.clone();
        job.due = Due::In(Duration::from_millis(tasks.in_ms));
        job
    };
    let jobs: Vec<NewJob> = (0..tasks.count).map(new_job).collect();
    let write = async |tx: &mut WriteTx| opened.queue.enqueue(tx, jobs.clone()).await;
    opened.database.system().write(write).await?;
    journal.note_enqueued(&jobs.iter().map(|job| job.id).collect::<Vec<_>>())?;
    Ok(())
}
