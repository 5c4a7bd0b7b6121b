//! The port of the job queue.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use super::model::{ClaimRequest, ClaimedJob, JobFailure, JobId, JobState, Lease, QueueName};
use super::new_job::{Enqueued, NewJob};
use super::record::{JobFilter, JobRecord, KindStats};
use crate::database::{ReadTx, WriteTx};
use crate::error::PortResult;

/// How many deaths of its process a job has before it is dead.
pub const MAX_CRASHES: u32 = 3;

/// What a call of `rescue` did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rescued {
    /// Jobs whose lease had run out and that are ready again.
    pub requeued: u64,
    /// Jobs that took their process down too often, or had no attempt left, and are dead now.
    pub buried: u64,
    /// Whether there are jobs whose last chance it is: see [`ClaimRequest::last_chances`].
    pub last_chances: bool,
    /// How long until the next of the leases that there are now runs out; none when nobody holds a job.
    pub next_in: Option<Duration>,
    /// The oldest transaction of the database; none where it does no harm, or where nobody can tell.
    pub oldest_snapshot: Option<OldestSnapshot>,
}

impl Rescued {
    /// Jobs taken back, with nothing more to tell. For adapters.
    pub const fn new(requeued: u64, buried: u64) -> Self {
        Self { requeued, buried, last_chances: false, next_in: None, oldest_snapshot: None }
    }
}

/// A transaction that keeps the database from removing what is dead, so that claims walk through more and more of it. What is not a
/// session's transaction (a prepared one, a replica, a replication slot) keeps it too, and is not told of.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OldestSnapshot {
    /// Who holds it, as the database tells it: its process, and what that calls itself.
    pub session: String,
    /// How long it has been open.
    pub age: Duration,
}

impl OldestSnapshot {
    /// For adapters.
    pub fn new(session: impl Into<String>, age: Duration) -> Self {
        Self { session: session.into(), age }
    }
}

/// From how far away a commit ends a wait for work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "one process, all of them, or all of them once it is mended")]
pub enum Reach {
    /// From this process; jobs of others are found by polling.
    Process,
    /// From any process on this database. A hint all the same, so polling goes on, at leisure.
    Database,
    /// From this process only, though it should be from any: what carries the hints is interrupted.
    Interrupted,
}

/// Keeps jobs in the database of the application. Brokers do not belong here.
///
/// All times are the database's clock; callers pass durations.
///
/// # Contract
/// - `JQ-1` A job exists if and only if the transaction that enqueued it committed.
/// - `JQ-2` A job that is due, ready and of a known kind is claimed by exactly one of any number of concurrent callers.
/// - `JQ-3` Jobs are claimed by priority, then by due time, then by id. A job is never claimed before it is due. One that another
///   process commits with an older due time than those that were claimed already may wait a second longer for its turn, or ten
///   times as long as a look at all jobs takes; and a claim may hand out fewer jobs than there are. One that hands out none
///   has looked at all queues and priorities.
/// - `JQ-4` A job that breaks a rule of [`NewJob::check`] gives `InvalidInput` and nothing of the call is stored.
/// - `JQ-5` A claim makes its jobs `running`, counts an attempt of each and voids every older lease of them. Its leases run out
///   together.
/// - `JQ-6` Complete, fail and release compare token and state: with a void lease they change nothing and give
///   `LeaseLost`, or list the job as lost.
/// - `JQ-7` `complete` takes effect with the caller's transaction, or not at all.
/// - `JQ-8` A job whose lease ran out is not claimed until `rescue` has made it ready or dead; its process is taken for
///   dead. After [`MAX_CRASHES`] such deaths, or when its attempts are spent, it is dead. A lease that is given up counts as
///   run out, at once. A job that one more death would bury is handed out only to a request for last chances.
/// - `JQ-9` `release` gives a job back without spending the attempt.
/// - `JQ-10` A failed job is ready again after its delay, or dead when its attempts are spent.
/// - `JQ-11` While a job holds its unique key (see [`Unique`](super::Unique)), a second one of the same kind and scope gives
///   `Duplicate` with the first one's id. The rolled-back insert of another transaction does not count.
/// - `JQ-12` Jobs of unknown kinds, or with a payload of a newer version than is known, are left alone; `stats` shows them.
/// - `JQ-13` Only dead jobs can be retried; dead, ready and running jobs can be discarded, and the lease of a running one is
///   void from then on.
/// - `JQ-14` `wait` returns early after a commit in this process that enqueued a job into one of the queues. A job of another
///   process is found by polling; where the `reach` is the database, a wait most often ends early for it too.
/// - `JQ-15` `list` is in descending order of ids, and its pages add up to the same jobs.
/// - `JQ-16` `prune` never removes a job that is ready, running or dead.
/// - `JQ-17` Of the jobs of one scope with one ordering key, only the first that is ready or running is claimed, in the order
///   in which they were enqueued; one at a time. One that waits for its retry or its time holds up those behind it.
/// - `JQ-18` From a paused queue nothing is claimed; what runs may end, and jobs can be enqueued.
#[async_trait]
pub trait JobQueue: fmt::Debug + Send + Sync + 'static {
    /// The name of the backend; the same as its database's.
    fn backend(&self) -> &'static str;

    /// Stores jobs in the caller's transaction; the results are in the order of the jobs.
    async fn enqueue(&self, tx: &mut WriteTx, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>>;

    /// Takes due jobs, at most `limit`, each with a lease.
    async fn claim(&self, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>>;

    /// Opens the connection on which leases are extended, apart from all others, for use on the thread that calls.
    async fn open_heartbeat(&self) -> PortResult<Box<dyn Heartbeat>>;

    /// Finishes a job with the caller's transaction.
    async fn complete(&self, tx: &mut WriteTx, lease: &Lease) -> PortResult<()>;

    /// Finishes jobs that need no transaction of their own; returns those whose lease was lost.
    async fn complete_all(&self, leases: &[Lease]) -> PortResult<Vec<JobId>>;

    /// Records a failed attempt; returns the state that the job is in now.
    async fn fail(&self, lease: &Lease, failure: &JobFailure) -> PortResult<JobState>;

    /// Gives jobs back, due after `delay`, without spending their attempt; returns those whose lease was lost.
    async fn release(&self, leases: &[Lease], delay: Duration) -> PortResult<Vec<JobId>>;

    /// Makes jobs whose lease ran out ready again, or dead; at most `limit`.
    async fn rescue(&self, limit: u32) -> PortResult<Rescued>;

    /// Waits until there may be work in the queues (empty means all), at most `timeout`.
    async fn wait(&self, queues: &[QueueName], timeout: Duration);

    /// From how far away a commit ends a [`wait`](JobQueue::wait), as far as is known now.
    fn reach(&self) -> Reach {
        Reach::Process
    }

    /// One job.
    async fn find(&self, tx: &mut ReadTx, job: JobId) -> PortResult<Option<JobRecord>>;

    /// Jobs that match, newest first.
    async fn list(&self, tx: &mut ReadTx, filter: &JobFilter) -> PortResult<Vec<JobRecord>>;

    /// Makes a dead job ready with all its attempts and no crash on its account.
    ///
    /// # Errors
    /// `NotFound` for an unknown job; `Conflict` when it is not dead; `AlreadyExists` when another job with its unique
    /// key is ready or running.
    async fn retry(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()>;

    /// Gives up a dead, ready or running job. The attempt of a running one can change nothing any more, and is told to stop
    /// with the next heartbeat of its worker.
    ///
    /// # Errors
    /// `NotFound` for an unknown job; `Conflict` when it is done or discarded.
    async fn discard(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()>;

    /// Stops claims from a queue; a paused one stays so.
    async fn pause(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()>;

    /// Lets claims take from a queue again.
    async fn resume(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()>;

    /// The queues that are paused, by name.
    async fn paused(&self, tx: &mut ReadTx) -> PortResult<Vec<QueueName>>;

    /// Numbers per queue and kind.
    async fn stats(&self, tx: &mut ReadTx) -> PortResult<Vec<KindStats>>;

    /// Removes done and discarded jobs that finished longer than `kept_for` ago, at most `limit`; returns how many.
    async fn prune(&self, kept_for: Duration, limit: u32) -> PortResult<u64>;
}

/// Extends leases on a connection of its own.
#[async_trait]
pub trait Heartbeat: fmt::Debug + Send {
    /// Extends the claims of these leases to `lease_for` from now; returns those of the jobs whose lease was lost.
    async fn extend(&mut self, leases: &[Lease], lease_for: Duration) -> PortResult<Vec<JobId>>;

    /// Gives up leases whose attempts did not end in their time, as if they had run out (`JQ-8`); their claims may go on with
    /// other jobs.
    async fn give_up(&mut self, leases: &[Lease]) -> PortResult<()>;
}
