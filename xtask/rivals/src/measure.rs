//! The three measures, the same for all rivals.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::postgres::{PgPool, PgPoolOptions};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::load::{self, Nothing};
use crate::rival::{BoxError, Rival, Tally};

/// Tasks that write orders at the same time.
const WRITERS: usize = 16;
/// Tasks that enqueue many at the same time.
const FILLERS: usize = 2;
/// Jobs of a call.
const BATCH: usize = 1_000;
const PROBES: usize = 400;
const UNMEASURED: usize = 10;
/// Longer than any run whose settings are of use.
const PATIENCE: Duration = Duration::from_mins(1);
/// A start that takes longer is one that a later poll or heartbeat has found.
const LATE: Duration = Duration::from_secs(5);
const MOST_LATE: usize = 5;

async fn observer(url: &str) -> Result<PgPool, BoxError> {
    Ok(PgPoolOptions::new().max_connections(1).test_before_acquire(false).connect(url).await?)
}

/// Jobs a second until the database says that all are done.
pub(crate) async fn process(rival: &dyn Rival, url: &str, jobs: usize) -> Result<Value, BoxError> {
    fill(rival, jobs).await?;
    let observer = observer(url).await?;
    // As after a while.
    sqlx::query("vacuum analyze").execute(&observer).await?;
    sqlx::query("checkpoint").execute(&observer).await?;
    let started = Instant::now();
    let running = rival.work().await?;
    tokio::time::timeout(PATIENCE, async {
        // As long as handlers have not even started, asking would only take time from the rival.
        while load::started() < jobs {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        while sqlx::query_scalar::<_, bool>(rival.is_any_left()).fetch_one(&observer).await? {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok::<_, BoxError>(())
    })
    .await
    .map_err(|_| format!("{} of {jobs} jobs have started after {PATIENCE:?}", load::started()))??;
    let seconds = started.elapsed().as_secs_f64();
    drop(running);
    let done = match rival.tally() {
        Tally::Done(count) => sqlx::query_scalar::<_, i64>(count).fetch_one(&observer).await?,
        Tally::There(count) => {
            i64::try_from(jobs)? - sqlx::query_scalar::<_, i64>(count).fetch_one(&observer).await?
        }
    };
    if done != i64::try_from(jobs)? {
        return Err(format!("{done} of {jobs} jobs are done").into());
    }
    let twice = load::started() - jobs;
    Ok(json!({ "per_second": jobs as f64 / seconds, "jobs": jobs, "started_twice": twice }))
}

async fn fill(rival: &dyn Rival, jobs: usize) -> Result<(), BoxError> {
    let work = Nothing::many(jobs);
    for chunk in work.chunks(BATCH) {
        if !rival.enqueue_all(chunk).await? {
            for one in chunk {
                rival.enqueue(one).await?;
            }
        }
    }
    Ok(())
}

/// The table of the business.
async fn create_orders(url: &str) -> Result<(), BoxError> {
    let observer = observer(url).await?;
    sqlx::query("create table bench_order (id uuid primary key, note text)").execute(&observer).await?;
    sqlx::query("vacuum analyze").execute(&observer).await?;
    Ok(())
}

/// Transactions a second.
pub(crate) async fn enqueue_one(rival: Arc<dyn Rival>, url: &str, seconds: u64) -> Result<Value, BoxError> {
    create_orders(url).await?;
    let work = Arc::new(Nothing::numbered(1));
    // Once unmeasured: connections are opened, statements prepared.
    let place = move |rival: Arc<dyn Rival>| {
        let work = Arc::clone(&work);
        async move { rival.place(new_id(), &work).await.map(|()| 1) }
    };
    repeated(WRITERS, 1, &rival, place.clone()).await?;
    Ok(json!({ "per_second": repeated(WRITERS, seconds, &rival, place).await? }))
}

#[expect(clippy::disallowed_methods, reason = "the rivals know nothing of our ports")]
fn new_id() -> Uuid {
    Uuid::now_v7()
}

/// Rows a second.
pub(crate) async fn enqueue_many(rival: Arc<dyn Rival>, seconds: u64) -> Result<Value, BoxError> {
    let work = Arc::new(Nothing::many(BATCH));
    if !rival.enqueue_all(&work).await? {
        return Ok(json!({ "per_second": null, "note": "no batch call" }));
    }
    let enqueue = move |rival: Arc<dyn Rival>| {
        let work = Arc::clone(&work);
        async move { rival.enqueue_all(&work).await.map(|_| work.len()) }
    };
    repeated(FILLERS, 1, &rival, enqueue.clone()).await?;
    Ok(json!({ "per_second": repeated(FILLERS, seconds, &rival, enqueue).await? }))
}

/// Does it over and over in so many tasks; what it returns is summed up, a second.
async fn repeated<F, R>(tasks: usize, seconds: u64, rival: &Arc<dyn Rival>, work: F) -> Result<f64, BoxError>
where
    F: Fn(Arc<dyn Rival>) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<usize, BoxError>> + Send,
{
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds);
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let (rival, work) = (Arc::clone(rival), work.clone());
        running.spawn(async move {
            let mut sum = 0;
            while Instant::now() < end {
                sum += work(Arc::clone(&rival)).await?;
            }
            Ok::<_, BoxError>(sum)
        });
    }
    let mut sum = 0;
    while let Some(done) = running.join_next().await {
        sum += done??;
    }
    Ok(sum as f64 / started.elapsed().as_secs_f64())
}

/// Milliseconds from before the transaction of the business that enqueues to the start of the handler.
pub(crate) async fn start(rival: &dyn Rival, url: &str) -> Result<Value, BoxError> {
    create_orders(url).await?;
    let (probe, mut seen) = tokio::sync::mpsc::unbounded_channel();
    load::tell(probe);
    let running = rival.work().await?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let (mut times, mut late) = (Vec::new(), 0);
    for number in 0..PROBES + UNMEASURED {
        let before = Instant::now();
        rival.place(new_id(), &Nothing::numbered(number)).await?;
        let begun = tokio::time::timeout(LATE, async {
            loop {
                match seen.recv().await {
                    Some((other, _)) if other != number => {}
                    found => return found,
                }
            }
        });
        let taken = match begun.await {
            Ok(begun) => begun.ok_or("the worker has ended")?.1.duration_since(before),
            Err(_) => {
                late += 1;
                if late > MOST_LATE {
                    return Err(format!("{late} of {number} jobs had not started after {LATE:?}").into());
                }
                LATE
            }
        };
        // The first ones open connections and prepare statements.
        if number >= UNMEASURED {
            times.push(taken.as_secs_f64() * 1_000.0);
        }
        // Not a steady beat: a worker that polls would always be met at the same moment.
        let pause = Duration::from_millis(18 + (number as u64 * 7) % 5);
        tokio::time::sleep(pause.saturating_sub(before.elapsed()).max(Duration::from_millis(5))).await;
    }
    drop(running);
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 100).copied();
    Ok(json!({ "p50_ms": at(50), "p99_ms": at(99), "late": late }))
}
