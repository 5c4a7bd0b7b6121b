//! The one error that every infrastructure port returns.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// A boxed cause, kept for logs and never shown to clients.
pub type BoxError = Box<dyn StdError + Send + Sync + 'static>;

/// The result of a port operation.
pub type PortResult<T> = Result<T, PortError>;

/// What went wrong, by what a caller can do about it. Act upon the kind, not upon the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something with this identity is already there.
    AlreadyExists,
    /// A precondition or version did not hold: read again, then decide.
    Conflict,
    /// Deadlock, serialization failure or a lock that was not had in time: run the whole unit of work again.
    Contention,
    /// A defect of the adapter or its server.
    Internal,
    /// The input breaks a rule of the port; the same call will fail again.
    InvalidInput,
    /// The lease was superseded: somebody else holds the job now.
    LeaseLost,
    /// There is nothing with this identity.
    NotFound,
    /// The caller may not do this.
    PermissionDenied,
    /// The other side asks to slow down.
    RateLimited,
    /// There is no space left: a disk or a quota is full, and somebody has to make room.
    StorageFull,
    /// A deadline passed before the answer came.
    Timeout,
    /// The credentials are missing, wrong or expired.
    Unauthenticated,
    /// The other side cannot be reached or is shutting down.
    Unavailable,
    /// The adapter does not offer this; its capabilities say so.
    Unsupported,
    /// A handle of another backend was passed in.
    WrongBackend,
}

impl ErrorKind {
    /// Whether the same call may succeed later without a change by the caller.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Contention | Self::RateLimited | Self::StorageFull | Self::Timeout | Self::Unavailable => {
                true
            }
            Self::AlreadyExists
            | Self::Conflict
            | Self::Internal
            | Self::InvalidInput
            | Self::LeaseLost
            | Self::NotFound
            | Self::PermissionDenied
            | Self::Unauthenticated
            | Self::Unsupported
            | Self::WrongBackend => false,
        }
    }

    /// The stable name, in `snake_case`, for logs and metric labels.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AlreadyExists => "already_exists",
            Self::Conflict => "conflict",
            Self::Contention => "contention",
            Self::Internal => "internal",
            Self::InvalidInput => "invalid_input",
            Self::LeaseLost => "lease_lost",
            Self::NotFound => "not_found",
            Self::PermissionDenied => "permission_denied",
            Self::RateLimited => "rate_limited",
            Self::StorageFull => "storage_full",
            Self::Timeout => "timeout",
            Self::Unauthenticated => "unauthenticated",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "unsupported",
            Self::WrongBackend => "wrong_backend",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AlreadyExists => "it is already there",
            Self::Conflict => "a precondition does not hold",
            Self::Contention => "another transaction was in the way",
            Self::Internal => "internal error",
            Self::InvalidInput => "the input is not valid",
            Self::LeaseLost => "the lease is lost",
            Self::NotFound => "not found",
            Self::PermissionDenied => "permission denied",
            Self::RateLimited => "rate limited",
            Self::StorageFull => "the storage is full",
            Self::Timeout => "timed out",
            Self::Unauthenticated => "not authenticated",
            Self::Unavailable => "unavailable",
            Self::Unsupported => "not supported",
            Self::WrongBackend => "the handle belongs to another backend",
        })
    }
}

/// An error of a port: which port, which operation, which kind, and optionally why in words.
///
/// `Display` prints port, operation, kind and detail, and never the source: the source may hold SQL, paths or
/// secrets. [`PortError::chain`] prints everything, for logs.
///
/// # Examples
/// ```
/// use dolmen_ports::{ErrorKind, PortError};
/// let error = PortError::new(ErrorKind::NotFound, "objects", "get").with_detail("no object reports/1.csv");
/// assert_eq!(error.to_string(), "objects could not get: not found (no object reports/1.csv)");
/// assert!(!error.is_retryable());
/// ```
#[derive(Debug)]
pub struct PortError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    port: &'static str,
    operation: &'static str,
    detail: Option<String>,
    retry_after: Option<Duration>,
    source: Option<BoxError>,
}

impl PortError {
    /// Makes an error of `kind` for `operation` (an imperative such as `get`) of `port`.
    pub fn new(kind: ErrorKind, port: &'static str, operation: &'static str) -> Self {
        Self(Box::new(Inner { kind, port, operation, detail: None, retry_after: None, source: None }))
    }

    /// Adds words for a person: the field, the rule, the fix. Never a secret.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds how long to wait before a retry makes sense.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: Duration) -> Self {
        self.0.retry_after = Some(retry_after);
        self
    }

    /// Adds the cause, for logs only.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The port that failed, such as `jobs`.
    pub fn port(&self) -> &'static str {
        self.0.port
    }

    /// The operation that failed, such as `claim`.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The words for a person, when there are any.
    pub fn detail(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// How long to wait before a retry makes sense, when the other side said so.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        self.0.kind.is_retryable()
    }

    /// The error and all its causes in one line, for logs only: causes may hold SQL or paths.
    pub fn chain(&self) -> String {
        error_chain(self)
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { kind, port, operation, detail, .. } = &*self.0;
        write!(f, "{port} could not {operation}: {kind}")?;
        if let Some(detail) = detail {
            write!(f, " ({detail})")?;
        }
        Ok(())
    }
}

impl StdError for PortError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

/// The error and all its causes in one line, joined by `: `, for logs only.
pub fn error_chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

/// An error that knows whether running the same work again may succeed.
///
/// [`Database::write`](crate::Database) reruns its closure on `Contention`, and a worker retries or buries a job,
/// by asking this. Errors of use cases implement it, most often by delegating to the [`PortError`] they wrap.
///
/// # Examples
/// ```
/// use dolmen_ports::{PortError, Retryable};
/// #[derive(Debug, thiserror::Error)]
/// enum IssueError {
///     #[error("the invoice is not a draft")]
///     NotADraft,
///     #[error(transparent)]
///     Port(#[from] PortError),
/// }
/// impl Retryable for IssueError {
///     fn port_error(&self) -> Option<&PortError> {
///         match self {
///             Self::Port(error) => Some(error),
///             Self::NotADraft => None,
///         }
///     }
/// }
/// ```
pub trait Retryable {
    /// The port error inside, if the failure came from a port.
    fn port_error(&self) -> Option<&PortError>;

    /// Whether the same work may succeed later: by default, what the port error inside says.
    fn is_retryable(&self) -> bool {
        self.port_error().is_some_and(PortError::is_retryable)
    }
}

impl Retryable for PortError {
    fn port_error(&self) -> Option<&PortError> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_never_prints_the_source() {
        let error =
            PortError::new(ErrorKind::Unavailable, "database", "begin").with_source("password=hunter2");
        assert!(!error.to_string().contains("hunter2"));
        assert!(error.chain().contains("hunter2"));
    }
}
