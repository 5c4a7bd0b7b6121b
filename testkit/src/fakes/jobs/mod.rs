//! A job queue in memory, in the transactions of the database in memory.

mod claim;
mod enqueue;
mod finish;
mod inspect;
mod row;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    ClaimId, ClaimRequest, ClaimedJob, Clock, Database, Enqueued, Heartbeat, IdGenerator as _, JobFailure,
    JobFilter, JobId, JobQueue, JobRecord, JobState, KindStats, Lease, NewJob, PortResult, QueueName, ReadTx,
    Rescued, Timestamp, WriteTx,
};
use tokio::sync::Notify;

use self::row::Row;
use super::clock::ManualClock;
use super::database::{BACKEND, MemoryDatabase, MemoryTable, MemoryTx};
use super::ids::SequentialIds;

const JOBS: MemoryTable<JobId, Row> = MemoryTable::new("dolmen_job");
const PAUSED: MemoryTable<QueueName, ()> = MemoryTable::new("dolmen_job_paused");

/// A job queue in memory. A clone is the same queue.
///
/// Leases, delays and ages are measured with the clock of its [`MemoryDatabase`]: advance that, and leases run out.
#[derive(Debug, Clone)]
pub struct MemoryJobQueue {
    database: Database,
    clock: ManualClock,
    enqueued: Arc<Notify>,
    claims: Arc<SequentialIds>,
}

impl MemoryJobQueue {
    /// The queue of a database.
    pub fn new(database: &MemoryDatabase) -> Self {
        Self {
            database: database.database(),
            clock: database.clock().clone(),
            enqueued: Arc::default(),
            claims: Arc::default(),
        }
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn wake_after_commit(&self, tx: &mut WriteTx) -> PortResult<()> {
        tx.driver_mut::<MemoryTx>()?.note_jobs();
        let enqueued = Arc::clone(&self.enqueued);
        tx.after_commit(move || {
            enqueued.notify_waiters();
            // Kept for a worker that found nothing a moment ago and has not begun to wait yet.
            enqueued.notify_one();
        });
        Ok(())
    }

    /// Runs a step of the queue's own, outside of any caller's transaction.
    async fn step<T: Send>(
        &self,
        step: impl Fn(&mut WriteTx) -> PortResult<T> + Send + Sync,
    ) -> PortResult<T> {
        let mut tx = self.database.system().begin().await?;
        let result = step(&mut tx)?;
        tx.commit().await?;
        Ok(result)
    }
}

#[async_trait]
impl JobQueue for MemoryJobQueue {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    async fn enqueue(&self, tx: &mut WriteTx, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>> {
        let results = enqueue::enqueue(tx, jobs, self.now())?;
        self.wake_after_commit(tx)?;
        Ok(results)
    }

    async fn claim(&self, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
        let claim = ClaimId::new(self.claims.next());
        self.step(|tx| claim::claim(tx, request, claim, self.now())).await
    }

    async fn open_heartbeat(&self) -> PortResult<Box<dyn Heartbeat>> {
        self.database.ping().await?;
        Ok(Box::new(MemoryHeartbeat { queue: self.clone() }))
    }

    async fn complete(&self, tx: &mut WriteTx, lease: &Lease) -> PortResult<()> {
        if finish::complete(tx, lease, self.now())? {
            Ok(())
        } else {
            Err(row::lease_lost("complete", lease))
        }
    }

    async fn complete_all(&self, leases: &[Lease]) -> PortResult<Vec<JobId>> {
        self.step(|tx| row::lost(leases, |lease| finish::complete(tx, lease, self.now()))).await
    }

    async fn fail(&self, lease: &Lease, failure: &JobFailure) -> PortResult<JobState> {
        let state = self.step(|tx| finish::fail(tx, lease, failure, self.now())).await?;
        state.ok_or_else(|| row::lease_lost("fail", lease))
    }

    async fn release(&self, leases: &[Lease], delay: Duration) -> PortResult<Vec<JobId>> {
        let due_at = self.now().plus(delay);
        self.step(|tx| row::lost(leases, |lease| finish::release(tx, lease, due_at))).await
    }

    async fn rescue(&self, limit: u32) -> PortResult<Rescued> {
        self.step(|tx| claim::rescue(tx, limit, self.now())).await
    }

    async fn wait(&self, _: &[QueueName], timeout: Duration) {
        // Woken by a commit or by the timeout: either way the caller asks the queue next.
        drop(tokio::time::timeout(timeout, self.enqueued.notified()).await);
    }

    async fn find(&self, tx: &mut ReadTx, job: JobId) -> PortResult<Option<JobRecord>> {
        Ok(JOBS.get(tx, &job)?.map(|row| row.record))
    }

    async fn list(&self, tx: &mut ReadTx, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
        inspect::list(tx, filter)
    }

    async fn retry(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        finish::retry(tx, job, self.now())
    }

    async fn discard(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        finish::discard(tx, job, self.now())
    }

    async fn pause(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        PAUSED.put(tx, queue.clone(), ()).map(drop)
    }

    async fn resume(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        PAUSED.remove(tx, queue)?;
        self.wake_after_commit(tx)
    }

    async fn paused(&self, tx: &mut ReadTx) -> PortResult<Vec<QueueName>> {
        Ok(PAUSED.scan(tx, |_, ()| true)?.into_iter().map(|(queue, ())| queue).collect())
    }

    async fn stats(&self, tx: &mut ReadTx) -> PortResult<Vec<KindStats>> {
        inspect::stats(tx, self.now())
    }

    async fn prune(&self, kept_for: Duration, limit: u32) -> PortResult<u64> {
        let finished_before = self.now().minus(kept_for);
        self.step(|tx| finish::prune(tx, finished_before, limit)).await
    }
}

/// The heartbeat of [`MemoryJobQueue`].
#[derive(Debug)]
pub struct MemoryHeartbeat {
    queue: MemoryJobQueue,
}

#[async_trait]
impl Heartbeat for MemoryHeartbeat {
    async fn extend(&mut self, leases: &[Lease], lease_for: Duration) -> PortResult<Vec<JobId>> {
        let until = self.queue.now().plus(lease_for);
        self.queue.step(|tx| row::lost(leases, |lease| claim::extend(tx, lease, until))).await
    }

    async fn give_up(&mut self, leases: &[Lease]) -> PortResult<()> {
        self.queue.step(|tx| claim::give_up(tx, leases, self.queue.now())).await
    }
}
