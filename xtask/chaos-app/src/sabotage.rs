//! Guards that can be left out. They live here, around the real parts, and nowhere in the framework.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clap::ValueEnum;
use dolmen::ports::{ClaimRequest, ClaimedJob, Heartbeat, JobFailure, Lease, NewJob, Rescued};
use dolmen::{
    Database, Enqueued, ErrorKind, JobFilter, JobId, JobQueue, JobRecord, JobState, KindStats, PortResult,
    QueueName, ReadTx, WriteTx,
};
use dolmen_sql::SqlJobQueue;
use tokio::sync::mpsc;

use crate::native;

/// A guard to leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sabotage {
    /// A worker that lost its lease commits its effect all the same.
    NoFencing,
    /// The effect is committed before the completion instead of with it.
    EffectApart,
    /// Jobs, and so events, are enqueued after the transaction that they belong to.
    EnqueueOutsideTransaction,
    /// What a shutdown interrupts is not given back.
    NoRelease,
    /// Deaths of processes are not counted.
    CrashesNotCounted,
    /// Leases are not extended.
    NoHeartbeat,
    /// A tick is recorded after the transaction that publishes it.
    TickApart,
    /// A tick is published without a record.
    NoTickRow,
    /// A schedule of Berlin keeps to the offset of the winter.
    FixedOffset,
    /// Nobody looks for jobs that no wake-up tells of.
    NoPoll,
}

/// The queue on SQL without the guard; what a switch does not concern stays as it is.
#[derive(Debug, Clone)]
pub(crate) struct SabotagedQueue {
    inner: SqlJobQueue,
    database: Database,
    sabotage: Sabotage,
    late: Option<mpsc::UnboundedSender<Vec<NewJob>>>,
}

impl SabotagedQueue {
    pub(crate) fn new(inner: SqlJobQueue, database: Database, sabotage: Sabotage) -> Self {
        let late = (sabotage == Sabotage::EnqueueOutsideTransaction).then(|| {
            let (late, inbox) = mpsc::unbounded_channel();
            enqueue_late(inner.clone(), database.clone(), inbox);
            late
        });
        Self { inner, database, sabotage, late }
    }
}

/// Enqueues what comes in, each in a transaction of its own, a little later, until the queue is dropped.
#[expect(clippy::disallowed_methods, reason = "the sabotage is that nobody waits for it")]
fn enqueue_late(queue: SqlJobQueue, database: Database, mut inbox: mpsc::UnboundedReceiver<Vec<NewJob>>) {
    let queue = Arc::new(queue);
    drop(tokio::spawn(async move {
        while let Some(jobs) = inbox.recv().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let write = async |tx: &mut WriteTx| queue.enqueue(tx, jobs.clone()).await;
            if let Err(error) = database.system().write(write).await {
                eprintln!("late jobs were lost: {}", error.chain());
            }
        }
    }));
}

#[async_trait]
impl JobQueue for SabotagedQueue {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn enqueue(&self, tx: &mut WriteTx, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>> {
        let Some(late) = self.late.clone() else { return self.inner.enqueue(tx, jobs).await };
        let enqueued = jobs.iter().map(|job| Enqueued::New(job.id)).collect();
        tx.after_commit(move || drop(late.send(jobs)));
        Ok(enqueued)
    }

    async fn claim(&self, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
        self.inner.claim(request).await
    }

    async fn open_heartbeat(&self) -> PortResult<Box<dyn Heartbeat>> {
        if self.sabotage == Sabotage::NoHeartbeat {
            return Ok(Box::new(NoHeartbeat));
        }
        self.inner.open_heartbeat().await
    }

    async fn complete(&self, tx: &mut WriteTx, lease: &Lease) -> PortResult<()> {
        match self.inner.complete(tx, lease).await {
            Err(error) if error.kind() == ErrorKind::LeaseLost && self.sabotage == Sabotage::NoFencing => {
                Ok(())
            }
            result => result,
        }
    }

    async fn complete_all(&self, leases: &[Lease]) -> PortResult<Vec<JobId>> {
        self.inner.complete_all(leases).await
    }

    async fn fail(&self, lease: &Lease, failure: &JobFailure) -> PortResult<JobState> {
        self.inner.fail(lease, failure).await
    }

    async fn release(&self, leases: &[Lease], delay: Duration) -> PortResult<Vec<JobId>> {
        if self.sabotage == Sabotage::NoRelease {
            return Ok(Vec::new());
        }
        self.inner.release(leases, delay).await
    }

    async fn rescue(&self, limit: u32) -> PortResult<Rescued> {
        let rescued = self.inner.rescue(limit).await?;
        if self.sabotage == Sabotage::CrashesNotCounted && rescued.requeued > 0 {
            let forget = "update dolmen_job set crashes = 0 where state = 'active'";
            let forget = async |tx: &mut WriteTx| native::run(tx, forget).await;
            self.database.system().write(forget).await?;
        }
        Ok(rescued)
    }

    async fn wait(&self, queues: &[QueueName], timeout: Duration) {
        self.inner.wait(queues, timeout).await;
    }

    async fn find(&self, tx: &mut ReadTx, job: JobId) -> PortResult<Option<JobRecord>> {
        self.inner.find(tx, job).await
    }

    async fn list(&self, tx: &mut ReadTx, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
        self.inner.list(tx, filter).await
    }

    async fn retry(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        self.inner.retry(tx, job).await
    }

    async fn discard(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        self.inner.discard(tx, job).await
    }

    async fn pause(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        self.inner.pause(tx, queue).await
    }

    async fn resume(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        self.inner.resume(tx, queue).await
    }

    async fn paused(&self, tx: &mut ReadTx) -> PortResult<Vec<QueueName>> {
        self.inner.paused(tx).await
    }

    async fn stats(&self, tx: &mut ReadTx) -> PortResult<Vec<KindStats>> {
        self.inner.stats(tx).await
    }

    async fn prune(&self, kept_for: Duration, limit: u32) -> PortResult<u64> {
        self.inner.prune(kept_for, limit).await
    }
}

/// Says that it extends leases, and does not.
#[derive(Debug)]
struct NoHeartbeat;

#[async_trait]
impl Heartbeat for NoHeartbeat {
    async fn extend(&mut self, _: &[Lease], _: Duration) -> PortResult<Vec<JobId>> {
        Ok(Vec::new())
    }

    async fn give_up(&mut self, _: &[Lease]) -> PortResult<()> {
        Ok(())
    }
}
