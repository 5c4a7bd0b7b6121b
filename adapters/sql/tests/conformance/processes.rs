//! Two operating-system processes on one database. This binary starts itself again as each of them.

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    BoxError, ClaimRequest, Database, IdGenerator, JobFilter, JobId, JobQueue, JobState, KnownKind, NewJob,
    PortResult, Scope, UuidV7Ids, WorkerId, WriteTx,
};
use dolmen_sql::{SqlDatabase, SqlJobQueue, sql};
use dolmen_testkit::conformance::{CaseResult, Failure, Suite, TransactionHarness};

use crate::fixture::SqlHarness;
use crate::scratch::SCRATCH;

/// The first argument of a process that this binary starts.
const CHILD: &str = "--child";
/// How often each process counts up.
const ROUNDS: i64 = 40;
const KIND: &str = "test.count_up";

pub(crate) fn suite() -> Suite<SqlHarness> {
    Suite::new("processes").case("two_processes_share_one_database", |harness| {
        Box::pin(two_processes_share_one_database(harness))
    })
}

async fn two_processes_share_one_database(harness: Arc<SqlHarness>) -> CaseResult {
    let children: Vec<_> = (0..2)
        .map(|_| {
            let (url, direct_url) = (harness.url.clone(), harness.direct_url.clone());
            tokio::task::spawn_blocking(move || {
                Command::new(std::env::current_exe()?).args([CHILD, &url]).args(direct_url).output()
            })
        })
        .collect();
    for child in children {
        let output = child.await??;
        if !output.status.success() {
            return Err(Failure::new(format!(
                "a process failed: {}",
                String::from_utf8_lossy(&output.stderr)
            )));
        }
    }
    let mut filter = JobFilter::state(JobState::Done);
    filter.limit = 1_000;
    let (last, done, effects) = harness
        .database()
        .system()
        .read(async |tx| {
            let (last,) =
                sql!("select last from dolmen_sql_counter where name = ?", "rounds").fetch_one(tx).await?;
            let done = harness.queue.list(tx, &filter).await?.len();
            let (effects,) = sql!("select count(*) from dolmen_sql_thing").fetch_one::<(i64,)>(tx).await?;
            PortResult::Ok((last, done, effects))
        })
        .await?;
    assert_eq!((last, done, effects), (2 * ROUNDS, 80, 2 * ROUNDS));
    Ok(())
}

/// What a process does that was started as a child; nothing in the process that was started first.
pub(crate) fn run_as_child() -> Option<ExitCode> {
    let mut arguments = std::env::args().skip(1);
    if arguments.next()? != CHILD {
        return None;
    }
    let url = arguments.next()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().ok()?;
    let direct_url = arguments.next();
    let child = child(&url, direct_url.as_deref());
    let work = async { tokio::time::timeout(Duration::from_secs(25), child).await? };
    let result: Result<(), BoxError> = runtime.block_on(work);
    Some(match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", dolmen_ports::error_chain(&*error));
            ExitCode::FAILURE
        }
    })
}

async fn child(url: &str, direct_url: Option<&str>) -> Result<(), BoxError> {
    let sql = SqlDatabase::connect(url, SqlHarness::options(direct_url)).await?;
    let (database, queue, ids) = (Database::new(sql.clone()), SqlJobQueue::new(&sql), UuidV7Ids::new());
    database.migrate(&[dolmen_sql::MIGRATIONS, SCRATCH]).await?;
    for _ in 0..ROUNDS {
        let job = NewJob::new(JobId::new(ids.next()), KIND, "{}", Scope::System);
        database.system().write(async |tx| count_up(tx, &queue, &job).await).await?;
    }
    let request = ClaimRequest::new(
        WorkerId::new(ids.next()),
        vec![KnownKind::new(KIND, 1)],
        3,
        Duration::from_secs(30),
    );
    loop {
        let jobs = queue.claim(&request).await?;
        if jobs.is_empty() {
            return Ok(());
        }
        for job in jobs {
            let finished: PortResult<()> = database
                .system()
                .write(async |tx| {
                    sql!("insert into dolmen_sql_thing (id) values (?)", ids.next()).execute(tx).await?;
                    queue.complete(tx, &job.lease).await
                })
                .await;
            finished?;
        }
    }
}

/// Reads, adds one, writes: what is lost when two processes do it at once without holding the row.
async fn count_up(tx: &mut WriteTx, queue: &SqlJobQueue, job: &NewJob) -> PortResult<()> {
    sql!("insert into dolmen_sql_counter (name, last) values (?, 0) {ignore_conflict name}", "rounds")
        .execute(tx)
        .await?;
    let (last,): (i64,) = sql!("select last from dolmen_sql_counter where name = ? {for_update}", "rounds")
        .fetch_one(tx)
        .await?;
    sql!("update dolmen_sql_counter set last = ? where name = ?", last + 1, "rounds").execute(tx).await?;
    queue.enqueue(tx, vec![job.clone()]).await.map(drop)
}
