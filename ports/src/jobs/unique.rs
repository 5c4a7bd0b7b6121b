//! What a job is the only one of.

use std::time::Duration;

use super::new_job::invalid;
use crate::error::PortResult;

/// What a job is the only one of: while it holds its key, another job of its kind and scope with this key is a
/// [`Duplicate`](super::Enqueued::Duplicate) of it.
///
/// It holds the key while it is ready or running, and longer if asked for. The job that is there decides, not the one that
/// comes.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use dolmen_ports::Unique;
/// // At most one an hour, whether or not the first one is done already.
/// let reminder = Unique::new("customer-7").even_done().per(Duration::from_hours(1));
/// assert_eq!(reminder.key, "customer-7");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unique {
    /// The key: 1 to 255 bytes.
    pub key: String,
    /// Whether a job that is done holds its key until it is pruned.
    pub even_done: bool,
    /// Whether a dead letter holds its key.
    pub even_dead: bool,
    /// Holds the key only within one of the periods of this length that follow each other since 1970, in UTC, by the
    /// database's clock: a day begins at midnight. 1 second to 366 days, in whole seconds.
    pub per: Option<Duration>,
}

impl Unique {
    /// The only ready or running job of its kind and scope with this key.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), even_done: false, even_dead: false, per: None }
    }

    /// The same, also while the job is done and was not pruned.
    #[must_use]
    pub fn even_done(mut self) -> Self {
        self.even_done = true;
        self
    }

    /// The same, also while the job is a dead letter.
    #[must_use]
    pub fn even_dead(mut self) -> Self {
        self.even_dead = true;
        self
    }

    /// The same, but only among jobs that were enqueued in the same period.
    #[must_use]
    pub fn per(mut self, period: Duration) -> Self {
        self.per = Some(period);
        self
    }

    pub(super) fn check_period(&self) -> PortResult<()> {
        let range = Duration::from_secs(1)..=Duration::from_hours(366 * 24);
        match self.per {
            Some(period) if !range.contains(&period) || period.subsec_nanos() != 0 => Err(invalid(format!(
                "period {period:?} of the unique key must be 1 second to 366 days, in whole seconds"
            ))),
            _ => Ok(()),
        }
    }
}

impl From<&str> for Unique {
    fn from(key: &str) -> Self {
        Self::new(key)
    }
}

impl From<String> for Unique {
    fn from(key: String) -> Self {
        Self::new(key)
    }
}
