//! Why a case failed, and where.

use std::fmt;
use std::panic::Location;

use dolmen_ports::error_chain;

/// What a case ends with.
pub type CaseResult = Result<(), Failure>;

/// Why a case failed, and in which line.
///
/// Every error converts into it, so that a case can use `?`; the line is the one of the `?`.
#[derive(Debug, Clone)]
pub struct Failure {
    reason: String,
    place: &'static Location<'static>,
}

impl Failure {
    /// A failure in the caller's line.
    #[track_caller]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), place: Location::caller() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.place.file(), self.place.line(), self.reason)
    }
}

impl<E: std::error::Error + 'static> From<E> for Failure {
    #[track_caller]
    fn from(error: E) -> Self {
        Self::new(error_chain(&error))
    }
}

/// Ends the case with a failure unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($reason:tt)+) => {
        if !$condition {
            return Err($crate::conformance::Failure::new(format!($($reason)+)));
        }
    };
}

/// Ends the case with a failure unless the left value equals the right one, which is the expected one.
macro_rules! ensure_eq {
    ($actual:expr, $expected:expr, $($reason:tt)+) => {
        match (&$actual, &$expected) {
            (actual, expected) => if *actual != *expected {
                let reason = format!($($reason)+);
                return Err($crate::conformance::Failure::new(
                    format!("{reason}: expected {expected:?}, found {actual:?}"),
                ));
            }
        }
    };
}

/// Ends the case with a failure unless the result is an error of this kind.
macro_rules! ensure_kind {
    ($result:expr, $kind:expr, $($reason:tt)+) => {
        match &$result {
            Err(error) if error.kind() == $kind => {}
            Err(error) => {
                let reason = format!($($reason)+);
                let found = error.kind();
                return Err($crate::conformance::Failure::new(
                    format!("{reason}: expected {:?}, found {found:?} ({})", $kind, error.chain()),
                ));
            }
            Ok(value) => {
                let reason = format!($($reason)+);
                return Err($crate::conformance::Failure::new(
                    format!("{reason}: expected {:?}, found Ok({value:?})", $kind),
                ));
            }
        }
    };
}

pub(crate) use {ensure, ensure_eq, ensure_kind};
