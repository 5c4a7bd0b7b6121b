//! A job queue with one flaw.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    ClaimRequest, ClaimedJob, Database, Due, Enqueued, ErrorKind, Heartbeat, JobFailure, JobFilter, JobId,
    JobQueue, JobRecord, JobState, KindStats, KnownKind, Lease, NewJob, NextStep, PortResult, QueueName,
    ReadTx, Rescued, WriteTx,
};

use crate::fakes::{ManualClock, MemoryDatabase, MemoryJobQueue};

/// What is wrong with a [`BrokenQueue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    None,
    /// The queue lives in another database than the application, as a broker does.
    OwnTransactions,
    ClaimsTwice,
    /// Polls for `id > last`, as an outbox without states does.
    PollsForGreaterIds,
    IgnoresDelays,
    IgnoresPriorities,
    DropsUnsoundJobs,
    CountsNoAttempts,
    NoFencing,
    HidesLostLeases,
    ClaimsExpiredJobs,
    NoCrashCap,
    ReleaseSpendsAttempts,
    RetriesAtOnce,
    NeverDies,
    ForgetsUniqueKeys,
    /// Uniqueness by a memory that does not roll back: the loser is told of a winner that never was.
    RemembersRolledBackKeys,
    /// A key that is unique per hour is unique for ever.
    ForgetsPeriods,
    ForgetsLines,
    ForgetsVersions,
    ForgetsPauses,
    /// Hands out jobs that one more crash makes dead together with others.
    MixesLastChances,
    ClaimsUnknownKinds,
    RetriesAnything,
    WaitsDeaf,
    ListsOldestFirst,
    PrunesDeadLetters,
}

/// The fake with one flaw.
#[derive(Debug)]
pub(super) struct BrokenQueue {
    flaw: Flaw,
    inner: MemoryJobQueue,
    /// The database of the queue's own transactions.
    own: Database,
    clock: ManualClock,
    latest: Mutex<BTreeMap<JobId, ClaimedJob>>,
    keys: Mutex<BTreeSet<String>>,
}

impl BrokenQueue {
    pub(super) fn new(flaw: Flaw, database: &MemoryDatabase) -> Self {
        let home = match flaw {
            Flaw::OwnTransactions => MemoryDatabase::with_clock(database.clock().clone()),
            _ => database.clone(),
        };
        Self {
            flaw,
            inner: MemoryJobQueue::new(&home),
            own: home.database(),
            clock: home.clock().clone(),
            latest: Mutex::default(),
            keys: Mutex::default(),
        }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == flaw
    }

    /// Without fencing, whoever finishes a job finishes it for the worker that holds it now.
    fn lease(&self, lease: &Lease) -> Lease {
        if !self.has(Flaw::NoFencing) {
            return *lease;
        }
        let latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.get(&lease.job).map_or(*lease, |job| job.lease)
    }

    fn leases(&self, leases: &[Lease]) -> Vec<Lease> {
        leases.iter().map(|lease| self.lease(lease)).collect()
    }

    fn spoil(&self, mut jobs: Vec<NewJob>) -> Vec<NewJob> {
        if self.has(Flaw::DropsUnsoundJobs) {
            jobs.retain(|job| job.check().is_ok());
        }
        for job in &mut jobs {
            match self.flaw {
                Flaw::IgnoresDelays => job.due = Due::Now,
                Flaw::IgnoresPriorities => job.priority = 0,
                Flaw::ForgetsUniqueKeys => job.unique = None,
                Flaw::ForgetsPeriods => {
                    if let Some(unique) = &mut job.unique {
                        unique.per = None;
                    }
                }
                Flaw::ForgetsLines => job.ordering_key = None,
                Flaw::ForgetsVersions => job.version = 1,
                _ => {}
            }
        }
        jobs
    }

    fn remembers(&self, jobs: &[NewJob]) -> bool {
        let mut keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        jobs.iter().filter_map(|job| job.unique.clone().map(|unique| unique.key)).any(|key| !keys.insert(key))
    }

    async fn dead(&self) -> PortResult<Vec<JobRecord>> {
        let filter = JobFilter::state(JobState::Dead);
        self.own.system().read(async |tx| self.inner.list(tx, &filter).await).await
    }
}

#[async_trait]
impl JobQueue for BrokenQueue {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    async fn enqueue(&self, tx: &mut WriteTx, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>> {
        let jobs = self.spoil(jobs);
        if self.has(Flaw::RemembersRolledBackKeys) && self.remembers(&jobs) {
            return Ok(jobs.iter().map(|job| Enqueued::Duplicate(job.id)).collect());
        }
        if self.has(Flaw::OwnTransactions) {
            return self.own.system().write(async |own| self.inner.enqueue(own, jobs.clone()).await).await;
        }
        self.inner.enqueue(tx, jobs).await
    }

    async fn claim(&self, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
        let mut request = request.clone();
        match self.flaw {
            Flaw::ClaimsExpiredJobs => drop(self.inner.rescue(u32::MAX).await?),
            Flaw::ClaimsUnknownKinds => request.kinds.push(KnownKind::new("suite.from_the_future", 1)),
            _ => {}
        }
        let mut claimed = self.inner.claim(&request).await?;
        if self.has(Flaw::MixesLastChances) {
            request.last_chances = true;
            claimed.extend(self.inner.claim(&request).await?);
        }
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if self.has(Flaw::ClaimsTwice) && claimed.is_empty() {
            claimed.extend(latest.pop_first().map(|(_, job)| job));
            return Ok(claimed);
        }
        if self.has(Flaw::PollsForGreaterIds) {
            let last = latest.last_key_value().map(|(id, _)| *id);
            claimed.retain(|job| last.is_none_or(|last| job.lease.job > last));
        }
        for job in &mut claimed {
            if self.has(Flaw::CountsNoAttempts) {
                job.attempt = 1;
            }
            latest.insert(job.lease.job, job.clone());
        }
        Ok(claimed)
    }

    async fn open_heartbeat(&self) -> PortResult<Box<dyn Heartbeat>> {
        self.inner.open_heartbeat().await
    }

    async fn complete(&self, tx: &mut WriteTx, lease: &Lease) -> PortResult<()> {
        let lease = self.lease(lease);
        if self.has(Flaw::OwnTransactions) {
            return self.own.system().write(async |own| self.inner.complete(own, &lease).await).await;
        }
        match self.inner.complete(tx, &lease).await {
            Err(error) if self.has(Flaw::HidesLostLeases) && error.kind() == ErrorKind::LeaseLost => Ok(()),
            result => result,
        }
    }

    async fn complete_all(&self, leases: &[Lease]) -> PortResult<Vec<JobId>> {
        let lost = self.inner.complete_all(&self.leases(leases)).await?;
        Ok(if self.has(Flaw::HidesLostLeases) { Vec::new() } else { lost })
    }

    async fn fail(&self, lease: &Lease, failure: &JobFailure) -> PortResult<JobState> {
        let (lease, mut failure) = (self.lease(lease), failure.clone());
        match failure.next {
            NextStep::RetryIn(_) if self.has(Flaw::RetriesAtOnce) => {
                failure.next = NextStep::RetryIn(Duration::ZERO);
            }
            NextStep::RetryIn(delay) if self.has(Flaw::NeverDies) => {
                self.inner.release(&[lease], delay).await?;
                return Ok(JobState::Ready);
            }
            _ => {}
        }
        self.inner.fail(&lease, &failure).await
    }

    async fn release(&self, leases: &[Lease], delay: Duration) -> PortResult<Vec<JobId>> {
        if self.has(Flaw::ReleaseSpendsAttempts) {
            for lease in leases {
                self.inner.fail(lease, &JobFailure::new("released", NextStep::RetryIn(delay))).await?;
            }
            return Ok(Vec::new());
        }
        self.inner.release(&self.leases(leases), delay).await
    }

    async fn rescue(&self, limit: u32) -> PortResult<Rescued> {
        let rescued = self.inner.rescue(limit).await?;
        if self.has(Flaw::NoCrashCap) {
            for record in self.dead().await? {
                self.own.system().write(async |own| self.inner.retry(own, record.id).await).await?;
            }
            return Ok(Rescued::new(rescued.requeued + rescued.buried, 0));
        }
        Ok(rescued)
    }

    async fn wait(&self, queues: &[QueueName], timeout: Duration) {
        if self.has(Flaw::WaitsDeaf) {
            drop(tokio::time::timeout(timeout, std::future::pending::<()>()).await);
        } else {
            self.inner.wait(queues, timeout).await;
        }
    }

    async fn find(&self, tx: &mut ReadTx, job: JobId) -> PortResult<Option<JobRecord>> {
        if self.has(Flaw::OwnTransactions) {
            return self.own.system().read(async |own| self.inner.find(own, job).await).await;
        }
        self.inner.find(tx, job).await
    }

    async fn list(&self, tx: &mut ReadTx, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
        let mut records = self.inner.list(tx, filter).await?;
        if self.has(Flaw::ListsOldestFirst) {
            records.reverse();
        }
        Ok(records)
    }

    async fn retry(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        match self.inner.retry(tx, job).await {
            Err(error) if self.has(Flaw::RetriesAnything) && error.kind() == ErrorKind::Conflict => Ok(()),
            result => result,
        }
    }

    async fn discard(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        self.inner.discard(tx, job).await
    }

    async fn pause(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        if self.has(Flaw::ForgetsPauses) { Ok(()) } else { self.inner.pause(tx, queue).await }
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
        if self.has(Flaw::PrunesDeadLetters) {
            for record in self.dead().await? {
                self.own.system().write(async |own| self.inner.discard(own, record.id).await).await?;
            }
            self.clock.advance(Duration::from_secs(1));
            return self.inner.prune(Duration::ZERO, limit).await;
        }
        self.inner.prune(kept_for, limit).await
    }
}
