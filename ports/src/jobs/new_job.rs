//! A job to enqueue, and what becomes of it.

use std::borrow::Cow;
use std::time::Duration;

use super::model::{JobId, QueueName};
use super::unique::Unique;
use crate::error::{ErrorKind, PortError, PortResult};
use crate::tenant::Scope;
use crate::time::Timestamp;

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
    /// Its id, made by the caller for this job alone: one that a job had before, done and forgotten or not, may be taken for that
    /// job by whoever still holds its lease.
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
    /// The version of its payload: workers that know only older ones leave the job alone. 1 to 32,767.
    pub version: u32,
    /// What it is the only one of.
    pub unique: Option<Unique>,
    /// Jobs of one scope with one ordering key run one at a time, in the order in which they were enqueued: each waits until
    /// those before it are done, dead or discarded. 1 to [`NewJob::MAX_KEY_BYTES`] bytes.
    pub ordering_key: Option<String>,
}

impl NewJob {
    /// The largest payload, in bytes.
    pub const MAX_PAYLOAD_BYTES: usize = 65_536;
    /// The longest unique key and the longest ordering key, in bytes.
    pub const MAX_KEY_BYTES: usize = 255;
    /// The highest version of a payload.
    pub const MAX_VERSION: u32 = 32_767;

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
            version: 1,
            unique: None,
            ordering_key: None,
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
        if !(1..=Self::MAX_VERSION).contains(&self.version) {
            return Err(invalid(format!("version {} must be 1 to {}", self.version, Self::MAX_VERSION)));
        }
        if let Some(unique) = &self.unique {
            check_key("unique key", &unique.key)?;
            unique.check_period()?;
        }
        self.ordering_key.as_ref().map_or(Ok(()), |key| check_key("ordering key", key))
    }
}

/// PostgreSQL has no U+0000 in text, so nobody has.
fn check_key(what: &str, key: &str) -> PortResult<()> {
    if (1..=NewJob::MAX_KEY_BYTES).contains(&key.len()) && !key.contains('\0') {
        return Ok(());
    }
    Err(invalid(format!("{what} must be 1 to {} bytes without U+0000", NewJob::MAX_KEY_BYTES)))
}

pub(super) fn invalid(detail: String) -> PortError {
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
        let cases: [(&str, Spoil); 12] = [
            ("kind", |job| job.kind = "A B".into()),
            ("queue", |job| job.queue = QueueName::new("Q!")),
            ("payload", |job| job.payload = "x".repeat(65_537)),
            ("U+0000", |job| job.payload = "\0".into()),
            ("priority", |job| job.priority = 101),
            ("max_attempts", |job| job.max_attempts = 0),
            ("timeout", |job| job.timeout = Duration::ZERO),
            ("version", |job| job.version = 0),
            ("unique key", |job| job.unique = Some(Unique::new(""))),
            ("period", |job| job.unique = Some(Unique::new("k").per(Duration::from_millis(999)))),
            ("ordering key", |job| job.ordering_key = Some("k".repeat(256))),
            ("U+0000", |job| job.ordering_key = Some("\0".to_owned())),
        ];
        for (word, spoil) in cases {
            let mut spoiled = job();
            spoil(&mut spoiled);
            let error = spoiled.check().unwrap_err().to_string();
            assert!(error.contains(word), "{error} should name {word}");
        }
    }
}
