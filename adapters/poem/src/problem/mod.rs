//! Errors as `application/problem+json` (RFC 9457), with stable codes.

mod document;
mod from_poem;
mod from_port;

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use dolmen::{BoxError, error_chain};
use poem::http::header::{self, HeaderName, HeaderValue};
use poem::http::{HeaderMap, StatusCode};

pub use document::{Fault, ProblemDocument};
pub(crate) use from_poem::{body_problem, method_not_allowed, plain, problem_of, unsupported_media_type};

/// What a handler answers when it cannot do what was asked.
///
/// Use cases have their own error enums; the module's HTTP adapter turns each variant into a problem. Port errors convert
/// by themselves, so `?` works. A code is part of the contract with clients: once given, it keeps its meaning.
///
/// # Examples
/// ```
/// use dolmen_poem::{Problem, StatusCode};
///
/// let problem = Problem::new(StatusCode::CONFLICT, "invoices/not-a-draft", "the invoice is issued; only a draft can be issued");
/// assert_eq!(problem.status(), 409);
/// assert_eq!(problem.code(), "invoices/not-a-draft");
/// ```
pub struct Problem(Box<Inner>);

struct Inner {
    status: StatusCode,
    code: Cow<'static, str>,
    detail: Cow<'static, str>,
    faults: Vec<Fault>,
    headers: HeaderMap,
    cause: Option<BoxError>,
}

impl Problem {
    /// A problem of an application: its status, its stable code (`area/what`) and words for a person.
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self(Box::new(Inner {
            status,
            code: code.into(),
            detail: detail.into(),
            faults: Vec::new(),
            headers: HeaderMap::new(),
            cause: None,
        }))
    }

    /// 400: the request cannot be understood.
    pub fn bad_request(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401 `auth/unauthenticated`, in the same words whatever is wrong with the credentials.
    pub fn unauthenticated() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "auth/unauthenticated",
            "the credentials are missing, wrong or expired",
        )
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
    }

    /// 403 `auth/forbidden`.
    pub fn forbidden(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "auth/forbidden", detail)
    }

    /// 404 `request/not-found`, in the same words for what never was, what is gone and what belongs to another tenant.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "request/not-found", "there is nothing here")
    }

    /// 409: the state forbids it.
    pub fn conflict(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::CONFLICT, code, detail)
    }

    /// 412 `conflict/version`: `If-Match` names a version that is no longer current.
    pub fn stale_version() -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            "conflict/version",
            "it has changed since you read it; read it again and repeat your change",
        )
    }

    /// 422 `request/validation`: the content breaks these rules.
    ///
    /// # Examples
    /// ```
    /// use dolmen_poem::{Fault, Problem};
    /// let problem = Problem::invalid([Fault::new("/lines/0/quantity", "must be 1 or more")]);
    /// assert_eq!(problem.detail(), "/lines/0/quantity must be 1 or more");
    /// ```
    pub fn invalid(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self::invalid_as("request/validation", faults)
    }

    /// 422 under another code.
    pub fn invalid_as(code: &'static str, faults: impl IntoIterator<Item = Fault>) -> Self {
        let faults: Vec<Fault> = faults.into_iter().collect();
        let words: Vec<String> = faults.iter().take(3).map(Fault::to_string).collect();
        let mut detail = words.join("; ");
        if faults.len() > words.len() {
            detail.push_str("; and more");
        }
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail);
        problem.0.faults = faults;
        problem
    }

    /// 500 `server/internal`; the cause goes to the log, under the id that the client gets.
    pub fn internal(cause: impl Into<BoxError>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server/internal", "something failed on our side")
            .with_cause(cause)
    }

    /// 503: not now.
    pub fn unavailable(code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, detail).with_retry_after(Duration::from_secs(1))
    }

    /// Adds a header to the answer.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// Says when a retry makes sense, in whole seconds, rounded up.
    #[must_use]
    pub fn with_retry_after(self, after: Duration) -> Self {
        let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    /// Adds the cause, for the log only.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<BoxError>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The stable code.
    pub fn code(&self) -> &str {
        &self.0.code
    }

    /// The words for a person.
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// What is wrong with which part of the content.
    pub fn faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// The cause and all of its causes in one line, for the log only.
    pub fn cause_chain(&self) -> Option<String> {
        self.0.cause.as_deref().map(|cause| error_chain(cause))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.0.status.as_u16(), self.0.code, self.0.detail)
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Problem")
            .field("status", &self.0.status)
            .field("code", &self.0.code)
            .field("detail", &self.0.detail)
            .field("faults", &self.0.faults)
            .field("cause", &self.0.cause)
            .finish_non_exhaustive()
    }
}

impl StdError for Problem {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}
