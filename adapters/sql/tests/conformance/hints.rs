//! Workers of other processes hear of new jobs, where the database can tell.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::jobs::Reach;
use dolmen_ports::{JobId, JobQueue, NewJob, PortResult, Scope, Uuid};
use dolmen_sql::{SqlDatabase, SqlJobQueue};
use dolmen_testkit::conformance::{CaseResult, Failure, Suite};
use sqlx::postgres::PgListener;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::time::timeout;

use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

const LONG: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_secs(10);

pub(crate) fn suite() -> Suite<SqlHarness> {
    Suite::new("hints")
        .case("a_commit_of_another_process_wakes_whoever_waits", |h| Box::pin(wakes(h)))
        .case("a_lost_connection_ends_the_wait_and_is_opened_anew", |h| Box::pin(lost(h)))
        .case("a_flood_of_commits_is_told_of_ten_times_a_second", |h| Box::pin(flood(h)))
}

pub(crate) fn pooled_suite() -> Suite<SqlHarness> {
    Suite::new("hints").case("behind_a_pooler_nobody_listens", |h| Box::pin(pooled(h)))
}

/// The queue of another process: nothing but the database is shared.
async fn other(harness: &SqlHarness) -> PortResult<(SqlDatabase, Arc<SqlJobQueue>)> {
    let sql = SqlDatabase::connect(&harness.url, SqlHarness::options(None)).await?;
    let queue = Arc::new(SqlJobQueue::new(&sql));
    Ok((sql, queue))
}

async fn enqueue(harness: &SqlHarness, number: u128) -> PortResult<()> {
    let job = NewJob::new(JobId::new(Uuid::from_u128(number)), "hints.work", "{}", Scope::System);
    harness
        .database
        .system()
        .write(async |tx| harness.queue.enqueue(tx, vec![job.clone()]).await)
        .await
        .map(drop)
}

/// Waits until the queue has this reach; each wait makes it listen.
async fn until(queue: &SqlJobQueue, reach: Reach) -> CaseResult {
    let reached = async {
        while queue.reach() != reach {
            queue.wait(&[], Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, reached).await.map_err(|_| Failure::new(format!("the reach never was {reach:?}")))
}

async fn wakes(harness: H) -> CaseResult {
    let (_sql, queue) = other(&harness).await?;
    until(&queue, Reach::Database).await?;
    let woken =
        async { timeout(SOON, queue.wait(&[], LONG)).await.map_err(|_| Failure::new("nobody was woken")) };
    let (woken, enqueued) = tokio::join!(woken, enqueue(&harness, 1));
    enqueued?;
    woken
}

async fn lost(harness: H) -> CaseResult {
    let (_sql, queue) = other(&harness).await?;
    until(&queue, Reach::Database).await?;
    let mut connection = PgConnection::connect(&harness.url).await?;
    let cut = "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query ilike 'listen%'";
    let woken =
        async { timeout(SOON, queue.wait(&[], LONG)).await.map_err(|_| Failure::new("the wait went on")) };
    let (woken, cut) = tokio::join!(woken, connection.execute(cut));
    cut?;
    woken?;
    until(&queue, Reach::Database).await?;
    let woken =
        async { timeout(SOON, queue.wait(&[], LONG)).await.map_err(|_| Failure::new("nobody was woken")) };
    let (woken, enqueued) = tokio::join!(woken, enqueue(&harness, 1));
    enqueued?;
    woken
}

async fn flood(harness: H) -> CaseResult {
    let mut listener = PgListener::connect(&harness.url).await?;
    listener.listen("dolmen_job").await?;
    let started = std::time::Instant::now();
    for number in 1..=300 {
        enqueue(&harness, number).await?;
    }
    let most = started.elapsed().as_millis() / 100 + 2;
    let mut heard = 0;
    while timeout(Duration::from_millis(500), listener.recv()).await.is_ok() {
        heard += 1;
    }
    if heard == 0 || heard > most {
        return Err(Failure::new(format!("{heard} notifications of 300 commits; 1 to {most} are allowed")));
    }
    Ok(())
}

async fn pooled(harness: H) -> CaseResult {
    harness.queue.wait(&[], Duration::from_millis(50)).await;
    if harness.queue.reach() != Reach::Process {
        return Err(Failure::new(format!("the reach is {:?}", harness.queue.reach())));
    }
    Ok(())
}
