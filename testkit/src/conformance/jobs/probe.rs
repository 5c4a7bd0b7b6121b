//! What job cases do again and again.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    ClaimRequest, ClaimedJob, Enqueued, JobId, JobRecord, KindStats, KnownKind, NewJob, PortResult, Scope,
    Uuid, WorkerId,
};

use super::JobsHarness;
use crate::conformance::failure::Failure;

/// The kind of most jobs of the suite.
pub(super) const KIND: &str = "suite.do_work";
/// The lease of most claims of the suite.
pub(super) const LEASE: Duration = Duration::from_secs(30);

pub(super) type H = Arc<dyn JobsHarness>;

/// The id of job number `number`; ids ascend with it.
pub(super) fn id(number: u32) -> JobId {
    JobId::new(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0000 + u128::from(number)))
}

/// Job number `number`, due now.
pub(super) fn job(number: u32) -> NewJob {
    NewJob::new(id(number), KIND, format!("{{\"number\":{number}}}"), Scope::System)
}

/// Worker number `number`.
pub(super) fn worker(number: u32) -> WorkerId {
    WorkerId::new(Uuid::from_u128(0x0198_beef_0000_7000_8000_0000_0000_0000 + u128::from(number)))
}

/// The kinds that workers of the suite know.
pub(super) fn known() -> Vec<KnownKind> {
    vec![KnownKind::new(KIND, 1)]
}

/// A request of worker 1 for up to `limit` jobs of [`KIND`].
pub(super) fn request(limit: u32) -> ClaimRequest {
    ClaimRequest::new(worker(1), known(), limit, LEASE)
}

/// Enqueues jobs in a transaction of their own.
pub(super) async fn enqueue(harness: &H, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>> {
    let queue = harness.queue();
    harness.database().system().write(async |tx| queue.enqueue(tx, jobs.clone()).await).await
}

/// Claims up to `limit` jobs of [`KIND`].
pub(super) async fn claim(harness: &H, limit: u32) -> PortResult<Vec<ClaimedJob>> {
    harness.queue().claim(&request(limit)).await
}

/// Claims the one job that is there to claim.
pub(super) async fn claim_one(harness: &H) -> Result<ClaimedJob, Failure> {
    let mut claimed = claim(harness, 10).await?;
    match (claimed.pop(), claimed.len()) {
        (Some(job), 0) => Ok(job),
        (_, more) => Err(Failure::new(format!("expected one job to claim, found {more} more"))),
    }
}

/// Enqueues job 1 and claims it.
pub(super) async fn enqueue_and_claim(harness: &H, job: NewJob) -> Result<ClaimedJob, Failure> {
    enqueue(harness, vec![job]).await?;
    claim_one(harness).await
}

/// The stored record of a job.
pub(super) async fn record(harness: &H, job: JobId) -> Result<JobRecord, Failure> {
    let found = find(harness, job).await?;
    found.ok_or_else(|| Failure::new(format!("job {job} should be stored")))
}

/// The stored record of a job, if there is one.
pub(super) async fn find(harness: &H, job: JobId) -> PortResult<Option<JobRecord>> {
    let queue = harness.queue();
    harness.database().system().read(async |tx| queue.find(tx, job).await).await
}

/// The numbers of one kind; zeros when the queue does not list it.
pub(super) async fn stats(harness: &H, kind: &str) -> PortResult<KindStats> {
    let queue = harness.queue();
    let all = harness.database().system().read(async |tx| queue.stats(tx).await).await?;
    let found = all.into_iter().find(|stats| stats.kind == kind);
    Ok(found.unwrap_or_else(|| KindStats::new(dolmen_ports::QueueName::DEFAULT, kind)))
}

/// Ids of claimed jobs, in their order.
pub(super) fn ids(jobs: &[ClaimedJob]) -> Vec<JobId> {
    jobs.iter().map(|job| job.lease.job).collect()
}

/// Lets the lease of all claimed jobs run out and rescues them.
pub(super) async fn let_leases_run_out(harness: &H) -> PortResult<dolmen_ports::Rescued> {
    harness.age(LEASE + Duration::from_secs(1)).await?;
    rescue(harness, 1_000).await
}

/// Rescues jobs; how many, without what else a rescue tells.
pub(super) async fn rescue(harness: &H, limit: u32) -> PortResult<dolmen_ports::Rescued> {
    let rescued = harness.queue().rescue(limit).await?;
    Ok(dolmen_ports::Rescued::new(rescued.requeued, rescued.buried))
}

/// Claims the one job that is there for a last chance.
pub(super) async fn claim_last_chance(harness: &H) -> Result<ClaimedJob, Failure> {
    let mut request = request(10);
    request.last_chances = true;
    let mut claimed = harness.queue().claim(&request).await?;
    match (claimed.pop(), claimed.len()) {
        (Some(job), 0) => Ok(job),
        (_, more) => Err(Failure::new(format!("expected one last chance, found {more} more"))),
    }
}
