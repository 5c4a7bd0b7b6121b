//! Enqueueing typed jobs in the caller's transaction.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    Due, Enqueued, ErrorKind, IdGenerator, Job, JobId, JobQueue, JobState, NewJob, PortError, PortResult,
    ReadTx, Scope, Timestamp, Unique, WriteTx,
};

/// Enqueues typed jobs; cheap to clone.
///
/// A job belongs to the transaction that enqueues it, and carries its scope.
#[derive(Debug, Clone)]
pub struct Jobs {
    queue: Arc<dyn JobQueue>,
    ids: Arc<dyn IdGenerator>,
}

/// How a job is enqueued, where it differs from its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobOptions {
    due: Option<Due>,
    priority: i16,
    unique: Option<Unique>,
    ordering_key: Option<String>,
    scope: Option<Scope>,
}

impl JobOptions {
    /// As its kind says.
    pub fn new() -> Self {
        Self::default()
    }

    /// Due after `delay`.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.due = Some(Due::In(delay));
        self
    }

    /// Due at an instant.
    #[must_use]
    pub fn at(mut self, at: Timestamp) -> Self {
        self.due = Some(Due::At(at));
        self
    }

    /// Before (negative) or after (positive) others that are due; -100 to 100.
    #[must_use]
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// At most one job of this kind, scope and key that is ready or running; [`Unique`] says more.
    ///
    /// ```
    /// use std::time::Duration;
    /// use dolmen::{JobOptions, Unique};
    /// let _one_at_a_time = JobOptions::new().unique("customer-7");
    /// let _one_a_day = JobOptions::new().unique(Unique::new("customer-7").even_done().per(Duration::from_hours(24)));
    /// ```
    #[must_use]
    pub fn unique(mut self, unique: impl Into<Unique>) -> Self {
        self.unique = Some(unique.into());
        self
    }

    /// One after the other, in the order of enqueueing, with all jobs of this scope that have this ordering key, of whatever
    /// kind: it waits until those before it are done, dead or discarded. A long line costs each claim a look at all that
    /// wait in it, so give each thing that needs an order a line of its own, such as `invoice-7`.
    #[must_use]
    pub fn ordered_by(mut self, key: impl Into<String>) -> Self {
        self.ordering_key = Some(key.into());
        self
    }

    /// In another scope than the transaction's; a system job hands work to tenants this way.
    #[must_use]
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }
}

impl Jobs {
    /// Enqueues into `queue` under ids from `ids`.
    pub fn new(queue: Arc<dyn JobQueue>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { queue, ids }
    }

    /// Enqueues a job that is due now.
    ///
    /// # Errors
    /// `InvalidInput` when the payload is larger than [`NewJob::MAX_PAYLOAD_BYTES`] or cannot be written as JSON.
    pub async fn enqueue<J: Job>(&self, tx: &mut WriteTx, job: &J) -> PortResult<Enqueued> {
        self.enqueue_with(tx, job, JobOptions::new()).await
    }

    /// Enqueues a job with options.
    pub async fn enqueue_with<J: Job>(
        &self,
        tx: &mut WriteTx,
        job: &J,
        options: JobOptions,
    ) -> PortResult<Enqueued> {
        let new_job = self.new_job(tx.scope(), job, options)?;
        let enqueued = self.queue.enqueue(tx, vec![new_job]).await?;
        enqueued.first().copied().ok_or_else(|| {
            PortError::new(ErrorKind::Internal, "jobs", "enqueue")
                .with_detail("the queue returned no result for the job")
        })
    }

    /// Enqueues many jobs of one kind in one go; the results are in their order.
    pub async fn enqueue_all<J: Job>(&self, tx: &mut WriteTx, jobs: &[J]) -> PortResult<Vec<Enqueued>> {
        let scope = tx.scope();
        let new_jobs: PortResult<Vec<NewJob>> =
            jobs.iter().map(|job| self.new_job(scope, job, JobOptions::new())).collect();
        self.queue.enqueue(tx, new_jobs?).await
    }

    /// Where a job is in its life; `None` when the queue knows it no longer, or never did.
    ///
    /// A module that shows how far its work got asks here instead of keeping a status of its own: a job can die where
    /// its handler cannot write that down, with its process, or by the hand of an operator. Done and discarded jobs are
    /// removed after a while, so store what came of the work in the transaction that completes the job.
    ///
    /// # Errors
    /// The database's.
    ///
    /// # Examples
    /// ```
    /// use dolmen::{JobId, JobState, Jobs, PortResult, ReadTx};
    ///
    /// async fn is_under_way(jobs: &Jobs, tx: &mut ReadTx, job: JobId) -> PortResult<bool> {
    ///     Ok(matches!(jobs.state(tx, job).await?, Some(JobState::Ready | JobState::Running)))
    /// }
    /// ```
    pub async fn state(&self, tx: &mut ReadTx, job: JobId) -> PortResult<Option<JobState>> {
        Ok(self.queue.find(tx, job).await?.map(|record| record.state))
    }

    /// Cancels a job that is ready or running; `false` when it has ended already, or the queue does not know it.
    ///
    /// It takes effect with the caller's transaction. From then on the attempt of a running job can change nothing in the
    /// database any more; its handler is told to stop at the next heartbeat of its worker, within a third of the lease.
    ///
    /// # Errors
    /// The database's.
    pub async fn cancel(&self, tx: &mut WriteTx, job: JobId) -> PortResult<bool> {
        match self.state(tx, job).await? {
            Some(JobState::Ready | JobState::Running) => {}
            _ => return Ok(false),
        }
        match self.queue.discard(tx, job).await {
            Ok(()) => Ok(true),
            // It ended in between.
            Err(error) if matches!(error.kind(), ErrorKind::Conflict | ErrorKind::NotFound) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn new_job<J: Job>(&self, scope: Scope, job: &J, options: JobOptions) -> PortResult<NewJob> {
        let payload = serde_json::to_string(job).map_err(|error| {
            PortError::new(ErrorKind::InvalidInput, "jobs", "enqueue")
                .with_detail(format!("the payload of {} cannot be written as JSON", J::KIND))
                .with_source(error)
        })?;
        let mut new_job =
            NewJob::new(JobId::new(self.ids.next()), J::KIND, payload, options.scope.unwrap_or(scope));
        new_job.queue = J::QUEUE;
        new_job.max_attempts = J::MAX_ATTEMPTS;
        new_job.timeout = J::TIMEOUT;
        new_job.due = options.due.unwrap_or(Due::Now);
        new_job.priority = options.priority;
        new_job.version = J::VERSION;
        new_job.unique = options.unique;
        new_job.ordering_key = options.ordering_key;
        Ok(new_job)
    }
}
