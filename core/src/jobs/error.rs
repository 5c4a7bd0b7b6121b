//! How a handler says what is to become of its job.

use std::fmt;
use std::time::Duration;

use dolmen_ports::{BoxError, ErrorKind, Retryable, error_chain};

/// A failed or postponed attempt. `?` on an error that is [`Retryable`] picks: retry what may pass, bury what will not.
#[derive(Debug)]
pub struct JobError {
    verdict: JobVerdict,
    source: BoxError,
}

/// What is to become of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum JobVerdict {
    /// Try again after the back-off of its attempt.
    Retry,
    /// Try again after this long.
    RetryIn(Duration),
    /// Try again after this long, without spending the attempt.
    Snooze(Duration),
    /// Keep it as a dead letter for a person to look at.
    Bury,
    /// Forget it; nobody needs to look.
    Discard,
}

impl JobError {
    /// Try again after the back-off.
    pub fn retry(source: impl Into<BoxError>) -> Self {
        Self { verdict: JobVerdict::Retry, source: source.into() }
    }

    /// Try again after `delay`.
    pub fn retry_in(delay: Duration, source: impl Into<BoxError>) -> Self {
        Self { verdict: JobVerdict::RetryIn(delay), source: source.into() }
    }

    /// Not yet: try again after `delay`; the attempt is not counted.
    pub fn snooze(delay: Duration, reason: impl Into<BoxError>) -> Self {
        Self { verdict: JobVerdict::Snooze(delay), source: reason.into() }
    }

    /// It will never work: keep it as a dead letter.
    pub fn bury(source: impl Into<BoxError>) -> Self {
        Self { verdict: JobVerdict::Bury, source: source.into() }
    }

    /// It is no longer wanted.
    pub fn discard(reason: impl Into<BoxError>) -> Self {
        Self { verdict: JobVerdict::Discard, source: reason.into() }
    }

    /// What is to become of the job.
    pub fn verdict(&self) -> JobVerdict {
        self.verdict
    }

    /// Why, with all causes, for the job's row and the log.
    pub fn reason(&self) -> String {
        error_chain(&*self.source)
    }
}

impl fmt::Display for JobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)
    }
}

impl<E: Retryable + Into<BoxError>> From<E> for JobError {
    fn from(error: E) -> Self {
        // A defect may be mended by a new version, so `Internal` is retried; bad input stays bad.
        let defect = error.port_error().is_some_and(|port| port.kind() == ErrorKind::Internal);
        if error.is_retryable() || defect { Self::retry(error) } else { Self::bury(error) }
    }
}
