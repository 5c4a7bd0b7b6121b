//! The job queue, which tells how long each claim took.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use dolmen::ports::{ClaimRequest, ClaimedJob, Heartbeat, JobFailure, Lease, NewJob, Rescued};
use dolmen::{
    Enqueued, JobFilter, JobId, JobQueue, JobRecord, JobState, KindStats, PortResult, QueueName, ReadTx,
    WriteTx,
};
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct TimedQueue(pub(super) Arc<dyn JobQueue>);

#[async_trait]
impl JobQueue for TimedQueue {
    async fn claim(&self, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
        let before = Instant::now();
        let claimed = self.0.claim(request).await;
        let taken = before.elapsed().as_micros();
        println!("claim {taken} {}", claimed.as_ref().map_or(0, Vec::len));
        claimed
    }

    fn backend(&self) -> &'static str {
        self.0.backend()
    }

    fn reach(&self) -> dolmen::ports::jobs::Reach {
        self.0.reach()
    }

    async fn enqueue(&self, tx: &mut WriteTx, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>> {
        self.0.enqueue(tx, jobs).await
    }

    async fn open_heartbeat(&self) -> PortResult<Box<dyn Heartbeat>> {
        self.0.open_heartbeat().await
    }

    async fn complete(&self, tx: &mut WriteTx, lease: &Lease) -> PortResult<()> {
        self.0.complete(tx, lease).await
    }

    async fn complete_all(&self, leases: &[Lease]) -> PortResult<Vec<JobId>> {
        self.0.complete_all(leases).await
    }

    async fn fail(&self, lease: &Lease, failure: &JobFailure) -> PortResult<JobState> {
        self.0.fail(lease, failure).await
    }

    async fn release(&self, leases: &[Lease], delay: Duration) -> PortResult<Vec<JobId>> {
        self.0.release(leases, delay).await
    }

    async fn rescue(&self, limit: u32) -> PortResult<Rescued> {
        self.0.rescue(limit).await
    }

    async fn wait(&self, queues: &[QueueName], timeout: Duration) {
        self.0.wait(queues, timeout).await;
    }

    async fn find(&self, tx: &mut ReadTx, job: JobId) -> PortResult<Option<JobRecord>> {
        self.0.find(tx, job).await
    }

    async fn list(&self, tx: &mut ReadTx, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
        self.0.list(tx, filter).await
    }

    async fn retry(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        self.0.retry(tx, job).await
    }

    async fn discard(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        self.0.discard(tx, job).await
    }

    async fn pause(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        self.0.pause(tx, queue).await
    }

    async fn resume(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        self.0.resume(tx, queue).await
    }

    async fn paused(&self, tx: &mut ReadTx) -> PortResult<Vec<QueueName>> {
        self.0.paused(tx).await
    }

    async fn stats(&self, tx: &mut ReadTx) -> PortResult<Vec<KindStats>> {
        self.0.stats(tx).await
    }

    async fn prune(&self, kept_for: Duration, limit: u32) -> PortResult<u64> {
        self.0.prune(kept_for, limit).await
    }
}
