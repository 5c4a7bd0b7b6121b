//! What a handler knows of its job, and how it finishes it.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    ClaimedJob, JobId, ModuleName, PortError, PortResult, Retryable, Scope, TenantId, TxFn, WriteTx,
};
use tokio::time::Instant;

use super::worker::HeldJob;

/// One attempt of one job; cheap to clone.
#[derive(Clone)]
pub struct JobContext {
    held: Arc<HeldJob>,
    module: ModuleName,
}

impl JobContext {
    /// The context of an attempt, for a handler of `module`.
    pub(crate) fn new(held: Arc<HeldJob>, module: ModuleName) -> Self {
        Self { held, module }
    }

    fn job(&self) -> &ClaimedJob {
        &self.held.job
    }

    /// The job's id: the same in every attempt, so it serves as a key for systems outside.
    pub fn id(&self) -> JobId {
        self.job().lease.job
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.job().attempt
    }

    /// Whether a failure of this attempt makes the job a dead letter.
    pub fn is_last_attempt(&self) -> bool {
        self.job().attempt >= self.job().max_attempts
    }

    /// Whose data the job may touch.
    pub fn scope(&self) -> Scope {
        self.job().scope
    }

    /// The tenant whose data the job may touch.
    ///
    /// # Errors
    /// `InvalidInput` when the job has the system scope.
    pub fn tenant(&self) -> PortResult<TenantId> {
        self.job().scope.tenant().ok_or_else(|| {
            PortError::new(dolmen_ports::ErrorKind::InvalidInput, "jobs", "tell the tenant").with_detail(
                format!(
                    "job {} of kind {} has the system scope; enqueue it in a tenant's transaction",
                    self.id(),
                    self.job().kind
                ),
            )
        })
    }

    /// How long until the attempt's time is up.
    pub fn time_left(&self) -> Duration {
        self.held.deadline.saturating_duration_since(Instant::now())
    }

    /// Whether to stop: the program shuts down, the time is up, or the lease is lost.
    pub fn is_cancelled(&self) -> bool {
        self.held.cancel.is_fired()
    }

    /// Waits until the work should stop. Long handlers select on it and return early; the job runs again later.
    pub async fn cancelled(&self) {
        self.held.cancel.fired().await;
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
            let held = &*self.held;
            let value = held
                .database(self.module)
                .scope(held.job.scope)
                .write(async |tx: &mut WriteTx| -> Result<T, E> {
                    let value = work(tx).await?;
                    held.complete(tx).await?;
                    Ok(value)
                })
                .await?;
            held.note_completion();
            Ok(value)
        }
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("job", &self.job().lease)
            .field("kind", &self.job().kind)
            .finish_non_exhaustive()
    }
}
