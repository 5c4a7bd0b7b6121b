//! The values that go in and out of a queue.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::new_job::invalid;
use crate::error::{PortError, PortResult};
use crate::tenant::Scope;

crate::define_id! {
    /// Identifies a job.
    pub struct JobId;
}

crate::define_id! {
    /// Identifies one run of one worker process; never used twice.
    pub struct WorkerId;
}

crate::define_id! {
    /// Identifies one claim: the jobs that a worker took with one call, under one lease.
    pub struct ClaimId;
}

/// The name of a queue: lower-case letters, digits, `_` and `-`, 1 to 64 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct QueueName(Cow<'static, str>);

impl QueueName {
    /// The queue of jobs that name no other.
    pub const DEFAULT: Self = Self(Cow::Borrowed("default"));

    /// Names a queue in code; `enqueue` refuses a name that breaks the rule.
    pub const fn new(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// Names a queue from text, such as a row or a variable.
    pub fn parse(name: &str) -> PortResult<Self> {
        // Most jobs name no other, and then nothing is copied.
        if name == Self::DEFAULT.as_str() { Ok(Self::DEFAULT) } else { Self::try_from(name.to_owned()) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn is_valid(&self) -> bool {
        (1..=64).contains(&self.0.len())
            && self.0.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
    }
}

impl TryFrom<String> for QueueName {
    type Error = PortError;

    fn try_from(name: String) -> PortResult<Self> {
        let queue = Self(Cow::Owned(name));
        if queue.is_valid() {
            Ok(queue)
        } else {
            Err(invalid(format!("queue {:?} must be 1 to 64 of a-z, 0-9, _ and -", queue.0)))
        }
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Which jobs a worker asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// Who asks.
    pub worker: WorkerId,
    /// The queues to take from; empty means all.
    pub queues: Vec<QueueName>,
    /// Queues to leave alone.
    pub except: Vec<QueueName>,
    /// The kinds that the worker knows; jobs of other kinds are left alone.
    pub kinds: Vec<KnownKind>,
    /// Asks for jobs whose last chance it is, and for no others: they have crashed so often that one more makes them dead, and
    /// are to run with nothing else in the process, so that nobody pays for what another did.
    pub last_chances: bool,
    /// How many at most.
    pub limit: u32,
    /// How long the lease holds, by the database's clock.
    pub lease_for: Duration,
}

impl ClaimRequest {
    /// Asks for up to `limit` jobs of `kinds` from all queues.
    pub fn new(worker: WorkerId, kinds: Vec<KnownKind>, limit: u32, lease_for: Duration) -> Self {
        Self { worker, queues: Vec::new(), except: Vec::new(), kinds, last_chances: false, limit, lease_for }
    }

    /// Whether it asks for jobs of a queue.
    pub fn wants(&self, queue: &QueueName) -> bool {
        (self.queues.is_empty() || self.queues.contains(queue)) && !self.except.contains(queue)
    }
}

/// A kind of job that a worker knows, and how new its payloads may be.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownKind {
    /// The kind.
    pub kind: String,
    /// The newest version of its payload that the worker can read; jobs of newer ones are left alone.
    pub version: u32,
}

impl KnownKind {
    /// A kind whose payloads up to `version` can be read.
    pub fn new(kind: impl Into<String>, version: u32) -> Self {
        Self { kind: kind.into(), version }
    }
}

/// The right to finish a job, until the lease of its claim runs out. A newer claim of the same job has a higher token and
/// voids this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// Ascends with every claim of this job: the fencing token.
    pub token: i64,
    /// The claim that it came with. All jobs of a claim are extended together.
    pub claim: ClaimId,
}

impl Lease {
    /// A lease. For adapters.
    pub const fn new(job: JobId, token: i64, claim: ClaimId) -> Self {
        Self { job, token, claim }
    }
}

/// A job that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClaimedJob {
    /// The right to finish it.
    pub lease: Lease,
    /// Its kind.
    pub kind: String,
    /// Its queue.
    pub queue: QueueName,
    /// Its payload, JSON text.
    pub payload: String,
    /// The version of its payload.
    pub version: u32,
    /// Whose data it may touch.
    pub scope: Scope,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// How many attempts it has.
    pub max_attempts: u32,
    /// How long this attempt may take.
    pub timeout: Duration,
    /// How long it waited since it was due.
    pub waited: Duration,
}

impl ClaimedJob {
    /// A claimed job with an empty queue wait; the other fields are public. For adapters.
    pub fn new(lease: Lease, kind: String, payload: String, scope: Scope) -> Self {
        Self {
            lease,
            kind,
            queue: QueueName::DEFAULT,
            payload,
            version: 1,
            scope,
            attempt: 1,
            max_attempts: 1,
            timeout: Duration::from_mins(5),
            waited: Duration::ZERO,
        }
    }
}

/// What happens to a job whose attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "again, dead or discarded")]
pub enum NextStep {
    /// Try again after this long, unless its attempts are spent: then it is dead.
    RetryIn(Duration),
    /// Give up and keep it as a dead letter.
    Bury,
    /// Give up; nobody needs to look at it.
    Discard,
}

/// How an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobFailure {
    /// Why, in words; adapters keep the first 4,000 characters.
    pub reason: String,
    /// What happens next.
    pub next: NextStep,
}

impl JobFailure {
    /// A failure.
    pub fn new(reason: impl Into<String>, next: NextStep) -> Self {
        Self { reason: reason.into(), next }
    }
}

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum JobState {
    /// It waits: until it is due, then until a worker has room.
    Ready,
    /// A worker holds it.
    Running,
    /// Its work is done.
    Done,
    /// Its attempts are spent, or it was buried: a dead letter that a person can retry or discard.
    Dead,
    /// Given up on purpose, before its work or in the middle of it.
    Discarded,
}

impl JobState {
    /// The name, as in rows and labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Done => "done",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
        }
    }

    /// The state of a name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Ready, Self::Running, Self::Done, Self::Dead, Self::Discarded]
            .into_iter()
            .find(|state| state.name() == name)
    }
}
