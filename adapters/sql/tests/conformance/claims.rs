//! Claims of several processes, each of which goes on where its last one ended.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    ClaimRequest, ClaimedJob, Due, JobId, JobQueue, KnownKind, NewJob, PortResult, Scope, Timestamp, Uuid,
    WorkerId,
};
use dolmen_sql::{SqlDatabase, SqlJobQueue};
use dolmen_testkit::conformance::{CaseResult, Failure, Suite};

use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

const AT_ONCE: u32 = 5;

pub(crate) fn suite() -> Suite<SqlHarness> {
    Suite::new("claims")
        .case("jobs_that_others_hold_are_passed_by_also_behind_the_last_place", |h| Box::pin(passed_by(h)))
        .case("a_job_that_is_lost_is_listed_for_each_of_its_leases", |h| Box::pin(lost_twice(h)))
        .case("a_transaction_that_keeps_dead_rows_is_told_of", |h| Box::pin(old_snapshot(h)))
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
