//! Workers of other processes hear of new jobs.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::jobs::Reach;
use dolmen_ports::{JobId, JobQueue, NewJob, PortResult, Scope, Uuid};
use dolmen_sql::{SqlDatabase, SqlJobQueue};
use dolmen_testkit::conformance::{CaseResult, Failure, Suite};
use tokio::time::timeout;

use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

const LONG: Duration = Duration::from_hours(1);
const SOON: Duration = Duration::from_secs(10);

pub(crate) fn suite(label: &str) -> Suite<SqlHarness> {
    let suite = Suite::new("hints");
    if label == "pgbouncer" {
        return suite.case("behind_a_pooler_nobody_listens", |h| Box::pin(pooled(h)));
    }
    let suite = suite.case("a_commit_of_another_process_wakes_whoever_waits", |h| Box::pin(wakes(h)));
    match label {
        #[cfg(feature = "postgres")]
        "postgres" => suite
            .case("a_lost_connection_ends_the_wait_and_is_opened_anew", |h| {
                Box::pin(lost(h, postgres::cut_listeners))
            })
            .case("a_flood_of_commits_is_told_of_ten_times_a_second", |h| Box::pin(postgres::flood(h))),
        #[cfg(feature = "mysql")]
        "mysql" => suite.case("a_lost_connection_ends_the_wait_and_is_opened_anew", |h| {
            Box::pin(lost(h, mysql::cut_listeners))
        }),
        _ => suite,
    }
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

/// `cut` ends the connections that listen, and says how many those were.
#[cfg(any(feature = "mysql", feature = "postgres"))]
async fn lost(harness: H, cut: impl AsyncFn(String) -> Result<usize, sqlx::Error>) -> CaseResult {
    let (_sql, queue) = other(&harness).await?;
    until(&queue, Reach::Database).await?;
    let woken =
        async { timeout(SOON, queue.wait(&[], LONG)).await.map_err(|_| Failure::new("the wait went on")) };
    let (woken, cut) = tokio::join!(woken, cut(harness.url.clone()));
    let cut = cut?;
    if cut != 1 {
        return Err(Failure::new(format!("{cut} connections listened")));
    }
    woken?;
    until(&queue, Reach::Database).await?;
    let woken =
        async { timeout(SOON, queue.wait(&[], LONG)).await.map_err(|_| Failure::new("nobody was woken")) };
    let (woken, enqueued) = tokio::join!(woken, enqueue(&harness, 1));
    enqueued?;
    woken
}

async fn pooled(harness: H) -> CaseResult {
    harness.queue.wait(&[], Duration::from_millis(50)).await;
    if harness.queue.reach() != Reach::Process {
        return Err(Failure::new(format!("the reach is {:?}", harness.queue.reach())));
    }
    Ok(())
}

#[cfg(feature = "postgres")]
mod postgres {
    use sqlx::postgres::PgListener;
    use sqlx::{Connection as _, PgConnection};

    use super::{CaseResult, Duration, Failure, H, enqueue, timeout};

    pub(super) async fn cut_listeners(url: String) -> Result<usize, sqlx::Error> {
        let mut connection = PgConnection::connect(&url).await?;
        let cut = "select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and query ilike 'listen%'";
        Ok(sqlx::query(cut).fetch_all(&mut connection).await?.len())
    }

    pub(super) async fn flood(harness: H) -> CaseResult {
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
            return Err(Failure::new(format!(
                "{heard} notifications of 300 commits; 1 to {most} are allowed"
            )));
        }
        Ok(())
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use sqlx::{AssertSqlSafe, Connection as _, MySqlConnection};

    pub(super) async fn cut_listeners(url: String) -> Result<usize, sqlx::Error> {
        let mut connection = MySqlConnection::connect(&url).await?;
        let found = "select id from information_schema.processlist
            where db = database() and (info like 'begin not atomic%' or state = 'User sleep')";
        let found: Vec<i64> = sqlx::query_scalar(found).fetch_all(&mut connection).await?;
        for id in &found {
            sqlx::raw_sql(AssertSqlSafe(format!("kill {id}"))).execute(&mut connection).await?;
        }
        Ok(found.len())
    }
}
