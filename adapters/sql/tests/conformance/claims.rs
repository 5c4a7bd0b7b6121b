//! Claims of several processes, each of which goes on where its last one ended.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    ClaimRequest, ClaimedJob, Due, JobId, JobQueue, KnownKind, NewJob, PortResult, Scope, Timestamp, Uuid,
    WorkerId,
};
#[cfg(feature = "postgres")]
use dolmen_ports::{QueueName, WriteTx};
#[cfg(feature = "postgres")]
use dolmen_sql::{Native, native, native_error};
use dolmen_sql::{SqlDatabase, SqlJobQueue};
use dolmen_testkit::conformance::{CaseResult, Failure, Suite};
#[cfg(feature = "postgres")]
use sqlx::PgConnection;

use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

const AT_ONCE: u32 = 5;

pub(crate) fn suite(label: &str) -> Suite<SqlHarness> {
    let suite = Suite::new("claims")
        .case("jobs_that_others_hold_are_passed_by_also_behind_the_last_place", |h| Box::pin(passed_by(h)))
        .case("a_job_that_is_lost_is_listed_for_each_of_its_leases", |h| Box::pin(lost_twice(h)))
        .case("a_transaction_that_keeps_dead_rows_is_told_of", |h| Box::pin(old_snapshot(h)));
    match label {
        #[cfg(feature = "postgres")]
        "postgres" => suite
            .case("a_claim_steps_over_the_places_that_are_known", |h| Box::pin(steps_over(h)))
            .case("completing_goes_along_the_primary_key_also_after_a_flood", |h| Box::pin(along_the_key(h))),
        _ => suite,
    }
}

/// Due long ago, and so many seconds.
fn job(number: u128, second: i64) -> NewJob {
    let mut job = NewJob::new(JobId::new(Uuid::from_u128(number)), "claims.work", "{}", Scope::System);
    job.due = Due::At(Timestamp::from_unix_micros(1_700_000_000_000_000 + second * 1_000_000));
    job
}

async fn enqueue(harness: &SqlHarness, jobs: Vec<NewJob>) -> PortResult<()> {
    let write = harness.database.system();
    write.write(async |tx| harness.queue.enqueue(tx, jobs.clone()).await).await.map(drop)
}

async fn claim(queue: &SqlJobQueue, worker: u128) -> PortResult<Vec<ClaimedJob>> {
    let kinds = vec![KnownKind::new("claims.work".to_owned(), 1)];
    let worker = WorkerId::new(Uuid::from_u128(worker));
    queue.claim(&ClaimRequest::new(worker, kinds, AT_ONCE, Duration::from_mins(5))).await
}

async fn passed_by(harness: H) -> CaseResult {
    for (spread, first) in [(0, 1), (1, 1_001)] {
        // All due at one time, and then each a second after the one before.
        let jobs = (0..20).zip(first..).map(|(second, number)| job(number, 10 + spread * second));
        enqueue(&harness, jobs.collect()).await?;
        let sql = SqlDatabase::connect(&harness.url, SqlHarness::options(None)).await?;
        let other = SqlJobQueue::new(&sql);
        let mut taken = claim(&harness.queue, 1).await?;
        // Due before all others: the other process takes it together with some that lie behind the place of the first one.
        let late = SqlJobQueue::new(&sql);
        let write = sql.database();
        write.system().write(async |tx| late.enqueue(tx, vec![job(first + 99, 1)]).await).await?;
        taken.extend(claim(&other, 2).await?);
        while let more @ [_, ..] = claim(&harness.queue, 1).await?.as_slice() {
            taken.extend_from_slice(more);
        }
        let different: HashSet<JobId> = taken.iter().map(|job| job.lease.job).collect();
        if (taken.len(), different.len()) != (21, 21) {
            return Err(Failure::new(format!("{} claimed, {} of 21 jobs", taken.len(), different.len())));
        }
        let leases: Vec<_> = taken.iter().map(|job| job.lease).collect();
        harness.queue.complete_all(&leases).await?;
    }
    Ok(())
}

async fn lost_twice(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1, 0), job(2, 0)]).await?;
    let leases: Vec<_> = claim(&harness.queue, 1).await?.iter().map(|job| job.lease).collect();
    let [first, second] = leases[..] else { return Err(Failure::new("two should be claimed")) };
    harness.queue.release(&[first], Duration::from_mins(1)).await?;
    let lost = harness.queue.complete_all(&[first, second, first]).await?;
    if lost != [first.job, first.job] {
        return Err(Failure::new(format!("{lost:?} are lost")));
    }
    Ok(())
}

/// On PostgreSQL: nowhere else it slows claims down.
async fn old_snapshot(harness: H) -> CaseResult {
    let queue = &harness.queue;
    if let Some(found) = queue.rescue(1).await?.oldest_snapshot {
        return Err(Failure::new(format!("{found:?} holds nothing")));
    }
    let mut tx = harness.database.system().begin().await?;
    queue.enqueue(&mut tx, vec![job(1, 0)]).await?;
    let oldest = queue.rescue(1).await?.oldest_snapshot;
    tx.rollback().await?;
    let is_named = oldest.as_ref().is_some_and(|oldest| oldest.session.starts_with("process "));
    if is_named != (queue.backend() == "postgres") {
        return Err(Failure::new(format!("{oldest:?} while a transaction is open")));
    }
    Ok(())
}

/// Behind each known place there is nothing; what is claimed stands between them.
#[cfg(feature = "postgres")]
async fn steps_over(harness: H) -> CaseResult {
    const CLAIM: &str = "select coalesce(sum(cardinality(ids)), 0)::bigint, coalesce(min(array_to_string(queue, ',')), '')
        from dolmen_claim(gen_random_uuid(), gen_random_uuid(), '{claims.work}', '{}', '{}', '{}', false, 100, 1000000, $1, true)";
    let fronts = [("b", -5), ("b", 0), ("b", 5), ("c", 0), ("d", -5), ("d", 5)];
    let jobs = fronts.iter().zip(1..).map(|(&(queue, priority), number)| {
        let mut job = job(number, 0);
        (job.queue, job.priority) = (QueueName::new(queue), priority);
        job
    });
    enqueue(&harness, jobs.collect()).await?;
    let known = |places: &[(&str, i16)]| {
        let place = |(queue, priority): &(&str, i16)| {
            let id = Uuid::nil();
            serde_json::json!({ "queue": queue, "priority": priority, "due_at": "2100-01-01T00:00:00Z", "id": id })
        };
        places.iter().map(place).collect::<serde_json::Value>()
    };
    for (places, expected) in [
        (&[][..], "b,b,b,c,d,d"),
        (&[("b", 0)], "b,b,c,d,d"),
        (&[("b", -5), ("b", 5), ("d", -5)], "b,c,d"),
        (&[("a", 0), ("c", 0), ("e", 0)], "b,b,b,d,d"),
        (&[("c", -100), ("c", 100), ("d", 5)], "b,b,b,c,d"),
        (&[("b", -5), ("b", 0), ("b", 5), ("c", 0), ("d", -5), ("d", 5)], ""),
    ] {
        let mut tx = harness.database.system().begin().await?;
        let claim = sqlx::query_as::<_, (i64, String)>(CLAIM).bind(known(places));
        let claim = claim.fetch_one(postgres(&mut tx)?).await;
        let (jobs, queues) = claim.map_err(|error| native_error(&tx, error, "claim"))?;
        tx.rollback().await?;
        let mut queues: Vec<&str> = queues.split(',').collect();
        queues.sort_unstable();
        if queues.join(",") != expected {
            return Err(Failure::new(format!(
                "{jobs} jobs of {queues:?} beside {places:?}, not of {expected}"
            )));
        }
    }
    Ok(())
}

/// The plans are made where a scan of the whole table is cheapest, and stay.
#[cfg(feature = "postgres")]
async fn along_the_key(harness: H) -> CaseResult {
    const ALL: &str = "select count(*) from dolmen_complete_all($1, 1, '{}', '{}', '{}', $2, $3)";
    enqueue(&harness, (1..=40).map(|number| job(number, 0)).collect()).await?;
    let mut claimed = Vec::new();
    while let more @ [_, ..] = claim(&harness.queue, 1).await?.as_slice() {
        claimed.extend(more.iter().map(|job| job.lease));
    }
    let mut tx = harness.database.system().begin().await?;
    for flood in [0, 2_000] {
        let jobs = (1_000..).take(flood).map(|number| job(number, 1_000));
        harness.queue.enqueue(&mut tx, jobs.collect()).await?;
        if flood == 0 {
            let counted = sqlx::raw_sql("analyze dolmen_job").execute(postgres(&mut tx)?).await;
            counted.map_err(|error| native_error(&tx, error, "analyze"))?;
        }
        let before = rows_read(&mut tx).await?;
        for lease in claimed.drain(..10) {
            harness.queue.complete(&mut tx, &lease).await?;
        }
        for lease in claimed.drain(..10) {
            let id = lease.job.as_uuid();
            let complete = sqlx::query_scalar::<_, i64>(ALL).bind(vec![id]).bind(id).bind(id);
            let lost = complete.fetch_one(postgres(&mut tx)?).await;
            if lost.map_err(|error| native_error(&tx, error, "complete"))? > 0 {
                return Err(Failure::new("a lease that holds is lost"));
            }
        }
        let read = rows_read(&mut tx).await? - before;
        if read > 20 {
            return Err(Failure::new(format!("{read} rows read for 20 jobs beside {flood} others")));
        }
    }
    tx.rollback().await?;
    Ok(())
}

#[cfg(feature = "postgres")]
fn postgres(tx: &mut WriteTx) -> Result<&mut PgConnection, Failure> {
    match native(tx)? {
        Native::Postgres(connection) => Ok(connection),
        _ => Err(Failure::new("not PostgreSQL")),
    }
}

/// Rows of jobs that this transaction has read, along an index or not.
#[cfg(feature = "postgres")]
async fn rows_read(tx: &mut WriteTx) -> Result<i64, Failure> {
    const READ: &str =
        "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'dolmen_job'";
    let read = sqlx::query_scalar(READ).fetch_one(postgres(tx)?).await;
    Ok(read.map_err(|error| native_error(tx, error, "look"))?)
}
