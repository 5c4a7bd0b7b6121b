//! A queue that counts what is asked of it, and fails when told to.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use async_trait::async_trait;
use dolmen::ports::jobs::OldestSnapshot;
use dolmen::ports::{ClaimRequest, ClaimedJob, Heartbeat, JobFailure, Lease, NewJob, Rescued};
use dolmen::{
    Enqueued, ErrorKind, JobFilter, JobId, JobQueue, JobRecord, JobState, KindStats, MetricKind, PortError,
    PortResult, QueueName, ReadTx, WriteTx,
};
use dolmen_testkit::fakes::{MemoryJobQueue, RecordingMetrics};
use tokio::sync::watch;
use tokio::task::Id;

use crate::support::metric;

/// What the test says, and what the queue saw.
#[derive(Debug)]
pub(crate) struct Knobs {
    /// The database does not answer the worker.
    pub(crate) down: AtomicBool,
    /// Heartbeats are dropped on the way, as when the process was stopped.
    pub(crate) deaf: AtomicBool,
    /// Answers to claims wait while this is false.
    pub(crate) answers: watch::Sender<bool>,
    /// Rescues wait while this is false.
    pub(crate) rescues: watch::Sender<bool>,
    /// Completions wait while this is false.
    pub(crate) gate: watch::Sender<bool>,
    /// Calls that complete many, begun and not ended, and the most of them.
    pub(crate) completing: AtomicUsize,
    pub(crate) most_completing: AtomicUsize,
    pub(crate) heartbeats: AtomicUsize,
    pub(crate) claims: AtomicUsize,
    /// How many jobs the worker had begun and not settled when it asked for more, if a test brings its metrics.
    pub(crate) in_flight_at_claims: Mutex<Vec<f64>>,
    pub(crate) metrics: OnceLock<RecordingMetrics>,
    pub(crate) prunes: AtomicUsize,
    /// What a rescue tells of the database's oldest transaction.
    pub(crate) oldest_snapshot: Mutex<Option<OldestSnapshot>>,
    pub(crate) batches: Mutex<Vec<usize>>,
    /// Tasks within a call that writes.
    writers: Mutex<HashSet<Id>>,
}

impl Knobs {
    /// As databases with one writer for a task do, refuses a task that writes while it writes.
    fn write(&self) -> PortResult<Option<Writing<'_>>> {
        let Some(task) = tokio::task::try_id() else { return Ok(None) };
        if self.writers.lock().unwrap().insert(task) {
            return Ok(Some(Writing { knobs: self, task }));
        }
        Err(PortError::new(ErrorKind::InvalidInput, "jobs", "begin a write within another one"))
    }

    fn answer(&self, operation: &'static str) -> PortResult<()> {
        if self.down.load(Ordering::SeqCst) {
            Err(PortError::new(ErrorKind::Unavailable, "jobs", operation))
        } else {
            Ok(())
        }
    }
}

struct Writing<'k> {
    knobs: &'k Knobs,
    task: Id,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.knobs.writers.lock().unwrap().remove(&self.task);
    }
}

/// The queue in memory, observed.
#[derive(Debug, Clone)]
pub(crate) struct SpyQueue {
    pub(crate) inner: MemoryJobQueue,
    pub(crate) knobs: Arc<Knobs>,
}

impl SpyQueue {
    pub(crate) fn new(inner: MemoryJobQueue) -> Self {
        let knobs = Knobs {
            down: AtomicBool::new(false),
            deaf: AtomicBool::new(false),
            answers: watch::Sender::new(true),
            rescues: watch::Sender::new(true),
            gate: watch::Sender::new(true),
            completing: AtomicUsize::new(0),
            most_completing: AtomicUsize::new(0),
            heartbeats: AtomicUsize::new(0),
            claims: AtomicUsize::new(0),
            in_flight_at_claims: Mutex::default(),
            metrics: OnceLock::new(),
            oldest_snapshot: Mutex::default(),
            prunes: AtomicUsize::new(0),
            batches: Mutex::new(Vec::new()),
            writers: Mutex::default(),
        };
        Self { inner, knobs: Arc::new(knobs) }
    }
}

#[async_trait]
impl JobQueue for SpyQueue {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn enqueue(&self, tx: &mut WriteTx, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>> {
        self.inner.enqueue(tx, jobs).await
    }

    async fn claim(&self, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
        self.knobs.claims.fetch_add(1, Ordering::SeqCst);
        if let Some(metrics) = self.knobs.metrics.get() {
            let in_flight =
                metrics.gauge(metric("dolmen_jobs_in_flight", &[], MetricKind::Gauge), &[]).unwrap_or(0.0);
            self.knobs.in_flight_at_claims.lock().unwrap().push(in_flight);
        }
        self.knobs.answer("claim")?;
        let _writing = self.knobs.write()?;
        let jobs = self.inner.claim(request).await;
        drop(self.knobs.answers.subscribe().wait_for(|open| *open).await);
        jobs
    }

    async fn open_heartbeat(&self) -> PortResult<Box<dyn Heartbeat>> {
        self.knobs.answer("open the heartbeat")?;
        let inner = self.inner.open_heartbeat().await?;
        Ok(Box::new(SpyHeartbeat { inner, knobs: Arc::clone(&self.knobs) }))
    }

    async fn complete(&self, tx: &mut WriteTx, lease: &Lease) -> PortResult<()> {
        self.knobs.answer("complete")?;
        self.inner.complete(tx, lease).await
    }

    async fn complete_all(&self, leases: &[Lease]) -> PortResult<Vec<JobId>> {
        let _writing = self.knobs.write()?;
        let completing = self.knobs.completing.fetch_add(1, Ordering::SeqCst) + 1;
        self.knobs.most_completing.fetch_max(completing, Ordering::SeqCst);
        let mut gate = self.knobs.gate.subscribe();
        drop(gate.wait_for(|open| *open).await);
        self.knobs.completing.fetch_sub(1, Ordering::SeqCst);
        self.knobs.answer("complete")?;
        self.knobs.batches.lock().unwrap().push(leases.len());
        self.inner.complete_all(leases).await
    }

    async fn fail(&self, lease: &Lease, failure: &JobFailure) -> PortResult<JobState> {
        self.knobs.answer("fail")?;
        let _writing = self.knobs.write()?;
        self.inner.fail(lease, failure).await
    }

    async fn release(&self, leases: &[Lease], delay: Duration) -> PortResult<Vec<JobId>> {
        self.knobs.answer("release")?;
        let _writing = self.knobs.write()?;
        self.inner.release(leases, delay).await
    }

    async fn rescue(&self, limit: u32) -> PortResult<Rescued> {
        self.knobs.answer("rescue")?;
        let _writing = self.knobs.write()?;
        drop(self.knobs.rescues.subscribe().wait_for(|open| *open).await);
        let mut rescued = self.inner.rescue(limit).await?;
        rescued.oldest_snapshot.clone_from(&*self.knobs.oldest_snapshot.lock().unwrap());
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
        let _writing = self.knobs.write()?;
        let removed = self.inner.prune(kept_for, limit).await;
        self.knobs.prunes.fetch_add(1, Ordering::SeqCst);
        removed
    }
}

#[derive(Debug)]
struct SpyHeartbeat {
    inner: Box<dyn Heartbeat>,
    knobs: Arc<Knobs>,
}

#[async_trait]
impl Heartbeat for SpyHeartbeat {
    async fn extend(&mut self, leases: &[Lease], lease_for: Duration) -> PortResult<Vec<JobId>> {
        self.knobs.answer("extend")?;
        if self.knobs.deaf.load(Ordering::SeqCst) {
            return Ok(Vec::new());
        }
        let lost = self.inner.extend(leases, lease_for).await;
        self.knobs.heartbeats.fetch_add(1, Ordering::SeqCst);
        lost
    }

    async fn give_up(&mut self, leases: &[Lease]) -> PortResult<()> {
        self.knobs.answer("give up")?;
        self.inner.give_up(leases).await
    }
}
