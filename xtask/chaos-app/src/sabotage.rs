//! Guards that can be left out. They live here, around the real parts, and nowhere in the framework.

use std::time::Duration;

use async_trait::async_trait;
use clap::ValueEnum;
use dolmen::ports::{ClaimRequest, ClaimedJob, Heartbeat, JobFailure, Lease, NewJob, Rescued};
use dolmen::{
    Enqueued, ErrorKind, JobFilter, JobId, JobQueue, JobRecord, JobState, KindStats, PortResult, QueueName,
    ReadTx, WriteTx,
};
use dolmen_sql::SqlJobQueue;

/// A guard to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sabotage {
    /// A worker that lost its lease commits its effect all the same.
    NoFencing,
    /// The effect is committed before the completion instead of with it.
    EffectApart,
}

/// The queue on SQL, whose completion forgives a lost lease.
#[derive(Debug, Clone)]
pub(crate) struct UnfencedQueue(pub(crate) SqlJobQueue);

#[async_trait]
impl JobQueue for UnfencedQueue {
    fn backend(&self) -> &'static str {
        self.0.backend()
    }

    async fn enqueue(&self, tx: &mut WriteTx, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>> {
        self.0.enqueue(tx, jobs).await
    }

    async fn claim(&self, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
        self.0.claim(request).await
    }

    async fn open_heartbeat(&self) -> PortResult<Box<dyn Heartbeat>> {
        self.0.open_heartbeat().await
    }

    async fn complete(&self, tx: &mut WriteTx, lease: &Lease) -> PortResult<()> {
        match self.0.complete(tx, lease).await {
            Err(error) if error.kind() == ErrorKind::LeaseLost => Ok(()),
            result => result,
        }
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

    async fn stats(&self, tx: &mut ReadTx) -> PortResult<Vec<KindStats>> {
        self.0.stats(tx).await
    }

    async fn prune(&self, kept_for: Duration, limit: u32) -> PortResult<u64> {
        self.0.prune(kept_for, limit).await
    }
}
