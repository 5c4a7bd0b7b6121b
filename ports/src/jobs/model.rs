//! The values that go in and out of a queue.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{ErrorKind, PortError, PortResult};
use crate::tenant::Scope;
use crate::time::Timestamp;

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
        let queue = Self(Cow::Owned(name.to_owned()));
        if queue.is_valid() {
            Ok(queue)
        } else {
            Err(invalid(format!("queue {name:?} must be 1 to 64 of a-z, 0-9, _ and -")))
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is_valid(&self) -> bool {
        (1..=64).contains(&self.0.len())
            && self.0.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-')
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// When a job may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "now, in a while, at an instant")]
pub enum Due {
    /// At once.
    Now,
    /// After this long, by the database's clock.
    In(Duration),
    /// Not before this instant, by the database's clock.
    At(Timestamp),
}

/// A job to enqueue.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewJob {
    /// Its id, made by the caller.
    pub id: JobId,
    /// Its kind, `<module>.<verb_noun>`.
    pub kind: Cow<'static, str>,
    /// The queue it waits in.
    pub queue: QueueName,
    /// Its payload: JSON text of at most [`NewJob::MAX_PAYLOAD_BYTES`].
    pub payload: String,
    /// Whose data it may touch.
    pub scope: Scope,
    /// When it may start.
    pub due: Due,
    /// Among jobs that are due, smaller numbers start first; -100 to 100.
    pub priority: i16,
    /// How often it is tried before it is dead; 1 to 1,000.
    pub max_attempts: u32,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// While a job of this kind, scope and key is neither done, dead nor discarded, enqueueing another gives
    /// `Duplicate`.
    pub unique_key: Option<String>,
}

impl NewJob {
    /// The largest payload, in bytes.
    pub const MAX_PAYLOAD_BYTES: usize = 65_536;
    /// The longest unique key, in bytes.
    pub const MAX_UNIQUE_KEY_BYTES: usize = 255;

    /// A job that is due now in the default queue, tried 10 times for 5 minutes each.
    pub fn new(
        id: JobId,
        kind: impl Into<Cow<'static, str>>,
        payload: impl Into<String>,
        scope: Scope,
    ) -> Self {
        Self {
            id,
            kind: kind.into(),
            queue: QueueName::DEFAULT,
            payload: payload.into(),
            scope,
            due: Due::Now,
            priority: 0,
            max_attempts: 10,
            timeout: Duration::from_mins(5),
            unique_key: None,
        }
    }

    /// Checks the rules that every adapter holds (`JQ-4`).
    ///
    /// # Errors
    /// `InvalidInput`, naming the field, the rule and the fix.
    pub fn check(&self) -> PortResult<()> {
        let kind_is_sound = (1..=128).contains(&self.kind.len())
            && self
                .kind
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '.');
        if !kind_is_sound {
            return Err(invalid(format!("kind {:?} must be 1 to 128 of a-z, 0-9, _ and .", self.kind)));
        }
        if !self.queue.is_valid() {
            return Err(invalid(format!(
                "queue {:?} must be 1 to 64 of a-z, 0-9, _ and -",
                self.queue.as_str()
            )));
        }
        if self.payload.len() > Self::MAX_PAYLOAD_BYTES {
            return Err(invalid(format!(
                "payload too large: {} > {} bytes; store it in the object store and pass its key",
                self.payload.len(),
                Self::MAX_PAYLOAD_BYTES
            )));
        }
        if self.payload.contains('\0') {
            return Err(invalid("payload must not contain U+0000".to_owned()));
        }
        if !(-100..=100).contains(&self.priority) {
            return Err(invalid(format!("priority {} must be -100 to 100", self.priority)));
        }
        if !(1..=1000).contains(&self.max_attempts) {
            return Err(invalid(format!("max_attempts {} must be 1 to 1000", self.max_attempts)));
        }
        if self.timeout < Duration::from_secs(1) || self.timeout > Duration::from_hours(24) {
            return Err(invalid(format!("timeout {:?} must be 1 second to 24 hours", self.timeout)));
        }
        if matches!(self.due, Due::In(delay) if delay > Duration::from_hours(24 * 3650)) {
            return Err(invalid("delay must be at most 10 years".to_owned()));
        }
        if let Some(key) = &self.unique_key
            && !(1..=Self::MAX_UNIQUE_KEY_BYTES).contains(&key.len())
        {
            return Err(invalid(format!("unique key must be 1 to {} bytes", Self::MAX_UNIQUE_KEY_BYTES)));
        }
        Ok(())
    }
}

fn invalid(detail: String) -> PortError {
    PortError::new(ErrorKind::InvalidInput, "jobs", "enqueue").with_detail(detail)
}

/// What became of an enqueue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it was new or it was there")]
pub enum Enqueued {
    /// The job was stored under its own id.
    New(JobId),
    /// A job with the same unique key was there; this is its id.
    Duplicate(JobId),
}

impl Enqueued {
    /// The id of the job that is now in the queue.
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Duplicate(id) => id,
        }
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
    /// The kinds that the worker knows; jobs of other kinds are left alone.
    pub kinds: Vec<String>,
    /// How many at most.
    pub limit: u32,
    /// How long the lease holds, by the database's clock.
    pub lease_for: Duration,
}

impl ClaimRequest {
    /// Asks for up to `limit` jobs of `kinds` from all queues.
    pub fn new(worker: WorkerId, kinds: Vec<String>, limit: u32, lease_for: Duration) -> Self {
        Self { worker, queues: Vec::new(), kinds, limit, lease_for }
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
    /// Given up on purpose.
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    type Spoil = fn(&mut NewJob);

    fn job() -> NewJob {
        NewJob::new(JobId::new(Uuid::nil()), "a.b", "{}", Scope::System)
    }

    #[test]
    fn each_rule_of_a_new_job_names_its_field() {
        assert!(job().check().is_ok());
        let cases: [(&str, Spoil); 8] = [
            ("kind", |job| job.kind = "A B".into()),
            ("queue", |job| job.queue = QueueName::new("Q!")),
            ("payload", |job| job.payload = "x".repeat(65_537)),
            ("U+0000", |job| job.payload = "\0".into()),
            ("priority", |job| job.priority = 101),
            ("max_attempts", |job| job.max_attempts = 0),
            ("timeout", |job| job.timeout = Duration::ZERO),
            ("unique key", |job| job.unique_key = Some(String::new())),
        ];
        for (word, spoil) in cases {
            let mut spoiled = job();
            spoil(&mut spoiled);
            let error = spoiled.check().unwrap_err().to_string();
            assert!(error.contains(word), "{error} should name {word}");
        }
    }
}
