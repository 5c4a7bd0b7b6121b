//! What a handler knows of its job, and how it finishes it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use dolmen_ports::{
    ClaimedJob, Database, JobId, JobQueue, PortError, PortResult, Retryable, Scope, TenantId, TxFn, WriteTx,
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How far the job's own transaction got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settled {
    /// No transaction of `complete` committed.
    Open,
    /// The job is done.
    Completed,
}

/// One attempt of one job; cheap to clone.
#[derive(Clone)]
pub struct JobContext(Arc<Inner>);

struct Inner {
    job: Arc<ClaimedJob>,
    database: Database,
    queue: Arc<dyn JobQueue>,
    deadline: Instant,
    cancelled: CancellationToken,
    settled: AtomicU8,
}

impl JobContext {
    /// The context of an attempt that ends at `deadline` or when `cancelled` fires, whichever comes first.
    pub(crate) fn new(
        job: Arc<ClaimedJob>,
        database: Database,
        queue: Arc<dyn JobQueue>,
        deadline: Instant,
        cancelled: CancellationToken,
    ) -> Self {
        Self(Arc::new(Inner { job, database, queue, deadline, cancelled, settled: AtomicU8::new(0) }))
    }

    /// The job's id: the same in every attempt, so it serves as a key for systems outside.
    pub fn id(&self) -> JobId {
        self.0.job.lease.job
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.0.job.attempt
    }

    /// Whether a failure of this attempt makes the job a dead letter.
    pub fn is_last_attempt(&self) -> bool {
        self.0.job.attempt >= self.0.job.max_attempts
    }

    /// Whose data the job may touch.
    pub fn scope(&self) -> Scope {
        self.0.job.scope
    }

    /// The tenant whose data the job may touch.
    ///
    /// # Errors
    /// `InvalidInput` when the job has the system scope.
    pub fn tenant(&self) -> PortResult<TenantId> {
        self.0.job.scope.tenant().ok_or_else(|| {
            PortError::new(dolmen_ports::ErrorKind::InvalidInput, "jobs", "tell the tenant").with_detail(
                format!(
                    "job {} of kind {} has the system scope; enqueue it in a tenant's transaction",
                    self.id(),
                    self.0.job.kind
                ),
            )
        })
    }

    /// How long until the attempt's time is up.
    pub fn time_left(&self) -> Duration {
        self.0.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether to stop: the program shuts down, the time is up, or the lease is lost.
    pub fn is_cancelled(&self) -> bool {
        self.0.cancelled.is_cancelled()
    }

    /// Waits until the work should stop. Long handlers select on it and return early; the job runs again later.
    pub async fn cancelled(&self) {
        self.0.cancelled.cancelled().await;
    }

    /// Finishes the job in one transaction with its own effects: the writes of `work`, its events and jobs, the check
    /// that the lease still holds, and the completion. All of it happens, or nothing.
    ///
    /// This is how a job has its database effects exactly once. `work` may run more than once (see
    /// [`dolmen_ports::ScopedDatabase::write`]) and does no I/O but the database's. Call it last; after it returned
    /// `Ok`, the job is done whatever the handler returns.
    ///
    /// # Errors
    /// What `work` returns; `LeaseLost` when somebody else holds the job by now: nothing was written.
    ///
    /// # Examples
    /// ```
    /// use dolmen::{Job, JobContext, JobError, PortResult, WriteTx};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize)] struct Count;
    /// # impl Job for Count { const KIND: &'static str = "counts.count"; }
    /// # async fn add_one(_tx: &mut WriteTx) -> PortResult<()> { Ok(()) }
    /// async fn count(_job: Count, context: JobContext) -> Result<(), JobError> {
    ///     context.complete(async |tx| add_one(tx).await).await?;
    ///     Ok(())
    /// }
    /// ```
    #[expect(clippy::manual_async_fn, reason = "the signature promises a Send future")]
    pub fn complete<'a, T, E, F>(&'a self, work: F) -> impl Future<Output = Result<T, E>> + Send + 'a
    where
        for<'t> F: AsyncFn(&'t mut WriteTx) -> Result<T, E>
            + TxFn<&'t mut WriteTx, Result<T, E>, Fut: Send>
            + Send
            + Sync
            + 'a,
        T: Send + 'a,
        E: From<PortError> + Retryable + Send + 'a,
    {
        async move {
            let inner = &*self.0;
            let value = inner
                .database
                .scope(inner.job.scope)
                .write(async |tx: &mut WriteTx| -> Result<T, E> {
                    let value = work(tx).await?;
                    inner.queue.complete(tx, &inner.job.lease).await?;
                    Ok(value)
                })
                .await?;
            inner.settled.store(1, Ordering::Release);
            Ok(value)
        }
    }

    pub(crate) fn settled(&self) -> Settled {
        if self.0.settled.load(Ordering::Acquire) == 0 { Settled::Open } else { Settled::Completed }
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("job", &self.0.job.lease)
            .field("kind", &self.0.job.kind)
            .finish_non_exhaustive()
    }
}
