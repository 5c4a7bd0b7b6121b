//! What the program can be told to do.

use std::path::Path;
use std::sync::Arc;

use dolmen::config::Env;
use dolmen::ports::Dialect;
use dolmen::{
    AppPorts, BoxError, Database, Enqueued, JobFilter, JobQueue, JobRecord, JobState, Jobs, ModuleName,
    PortResult, ReadTx, UuidV7Ids, WriteTx, init_logging,
};
use dolmen_reference_app::config::Config;
use dolmen_reference_app::modules;
use dolmen_reference_app::platform::Platform;
use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions, sql};

use crate::journal::Journal;
use crate::module::{LeaveAMark, MIGRATIONS};
use crate::sabotage::{Sabotage, SabotagedQueue};
use crate::steps::{self, Hang};

/// Jobs in one transaction of `enqueue`.
const BATCH: u32 = 100;

/// The database and the queue.
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) queue: SqlJobQueue,
    dialect: Dialect,
}

impl Opened {
    pub(crate) async fn open(url: &str, options: SqlOptions) -> Result<Self, BoxError> {
        let sql = SqlDatabase::connect(url, options).await?;
        Ok(Self { queue: SqlJobQueue::new(&sql), dialect: sql.dialect(), database: Database::new(sql) })
    }
}

pub(crate) async fn migrate(opened: &Opened) -> Result<(), BoxError> {
    opened.database.migrate(&[dolmen_sql::MIGRATIONS, MIGRATIONS]).await?;
    Ok(())
}

/// Brings the schema of F4 up to date; with `record_apart` under another name, as if its record had been lost.
pub(crate) async fn migrate_steps(
    opened: &Opened,
    hang: Option<Hang<'_>>,
    record_apart: bool,
) -> Result<(), BoxError> {
    let module = ModuleName::new(if record_apart { "apart" } else { "steps" });
    let steps = steps::migrations(module, opened.dialect, hang);
    opened.database.migrate(&[dolmen_sql::MIGRATIONS, steps]).await?;
    Ok(())
}

pub(crate) async fn print_schema(opened: &Opened) -> Result<(), BoxError> {
    opened.database.migrate(&[steps::SCHEMA]).await?;
    let read =
        async |tx: &mut ReadTx| sql!("select line from chaos_schema order by line").fetch_all(tx).await;
    let lines: Vec<(String,)> = opened.database.system().read(read).await?;
    for (line,) in lines {
        println!("{line}");
    }
    Ok(())
}

pub(crate) async fn enqueue(opened: &Opened, journal: &Path, count: u32) -> Result<(), BoxError> {
    let journal = Journal::open(journal)?;
    let jobs = Jobs::new(Arc::new(opened.queue.clone()), Arc::new(UuidV7Ids::new()));
    for start in (0..count).step_by(usize::try_from(BATCH)?) {
        let batch: Vec<LeaveAMark> =
            (start..count.min(start + BATCH)).map(|number| LeaveAMark { number }).collect();
        let write = async |tx: &mut WriteTx| jobs.enqueue_all(tx, &batch).await;
        let enqueued = opened.database.system().write(write).await?;
        let ids: Vec<_> = enqueued.into_iter().map(Enqueued::id).collect();
        journal.note_enqueued(&ids)?;
    }
    Ok(())
}

pub(crate) async fn print_jobs(opened: &Opened) -> Result<(), BoxError> {
    let queue = &opened.queue;
    let stats = async |tx: &mut ReadTx| queue.stats(tx).await;
    for kind in opened.database.system().read(stats).await? {
        println!(
            "ready {}\nscheduled {}\nrunning {}\ndead {}",
            kind.ready, kind.scheduled, kind.running, kind.dead
        );
    }
    Ok(())
}

pub(crate) async fn print_effects(opened: &Opened) -> Result<(), BoxError> {
    let read = async |tx: &mut ReadTx| sql!("select job, process from chaos_effect").fetch_all(tx).await;
    let effects: Vec<(String, i64)> = opened.database.system().read(read).await?;
    for (job, process) in effects {
        println!("{job} {process}");
    }
    Ok(())
}

pub(crate) async fn print_dead(opened: &Opened) -> Result<(), BoxError> {
    for job in dead(opened).await? {
        println!("{} {}", job.id, job.last_error.unwrap_or_default());
    }
    Ok(())
}

async fn dead(opened: &Opened) -> PortResult<Vec<JobRecord>> {
    let mut filter = JobFilter::state(JobState::Dead);
    filter.limit = 1_000;
    let list = async |tx: &mut ReadTx| opened.queue.list(tx, &filter).await;
    opened.database.system().read(list).await
}

pub(crate) async fn retry_dead(opened: &Opened) -> Result<(), BoxError> {
    let queue = &opened.queue;
    let dead = dead(opened).await?;
    for job in &dead {
        let retry = async |tx: &mut WriteTx| queue.retry(tx, job.id).await;
        opened.database.system().write(retry).await?;
    }
    println!("{}", dead.len());
    Ok(())
}

/// The reference app as it ships, but for the queue.
pub(crate) async fn serve(sabotage: Sabotage) -> Result<(), BoxError> {
    let mut env = Env::from_process(Env::DEFAULT_PREFIX);
    let config = Config::load(&mut env);
    let config = env.finish_with(config).map_err(|problems| problems.to_string())?;
    init_logging(&config.log);
    let mut platform = Platform::open(&config).await?;
    let database = platform.app.database().clone();
    let queue = SabotagedQueue::new(SqlJobQueue::new(&platform.sql), database.clone(), sabotage);
    platform.app = AppPorts::new(database, Arc::new(queue), Arc::clone(platform.app.schedules()))
        .with_migrations(dolmen_sql::MIGRATIONS);
    let roles = config.app.roles.clone();
    modules::wire(&config, &platform).app.run(roles).await?;
    Ok(())
}

/// Prints the payload of each job of a kind, whatever became of the job.
pub(crate) async fn print_payloads(opened: &Opened, kind: &str) -> Result<(), BoxError> {
    let queue = &opened.queue;
    let mut filter = JobFilter::all().with_kind(kind);
    filter.limit = 500;
    loop {
        let read = async |tx: &mut ReadTx| queue.list(tx, &filter).await;
        let page = opened.database.system().read(read).await?;
        for job in &page {
            println!("{}", job.payload);
        }
        match page.last() {
            Some(last) => filter.before = Some(last.id),
            None => return Ok(()),
        }
    }
}
