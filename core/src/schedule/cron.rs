//! Times of the calendar, as a cron expression in a time zone.

use croner::parser::{CronParser, Seconds};
use dolmen_ports::Timestamp;
use jiff::tz::TimeZone;

/// What happens to ticks that nobody published because no scheduler ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CatchUp {
    /// Forget them.
    Skip,
    /// Publish the latest one.
    #[default]
    Latest,
    /// Publish up to this many, oldest first.
    Backfill(u32),
}

/// A cron expression with its time zone and catch-up policy.
///
/// Five fields (minute, hour, day of month, month, day of week), or six with seconds first. In the gap of a change to
/// summer time, a fixed time that does not exist runs at the first instant after the gap; in the fold of a change back, it
/// runs once, at the first of the two.
///
/// # Examples
/// ```
/// use dolmen::{CatchUp, Cron};
/// let nightly = Cron::new("30 2 * * *").zone("Europe/Berlin").catch_up(CatchUp::Latest);
/// let next = nightly.next_after("2026-10-24T12:00:00Z".parse().unwrap()).unwrap();
/// assert_eq!(next.unwrap().to_string(), "2026-10-25T00:30:00.000000Z");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    expression: &'static str,
    zone: &'static str,
    catch_up: CatchUp,
}

/// Why a cron expression or its zone cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CronError {
    /// The expression breaks the syntax.
    #[error("schedule/invalid: {expression:?} is not a cron expression: {reason}; example: 30 2 * * *")]
    Expression {
        /// What was given.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The zone is not in the IANA time zone database.
    #[error("schedule/unknown-zone: {zone:?} is not an IANA time zone; example: Europe/Berlin")]
    Zone {
        /// What was given.
        zone: String,
    },
    /// The expression has no next time.
    #[error("schedule/never-fires: {expression:?} has no next date")]
    NeverFires {
        /// What was given.
        expression: String,
    },
}

impl Cron {
    /// A cron expression in UTC that publishes the latest tick when some were missed. `App::verify` reports one that
    /// cannot be used.
    pub const fn new(expression: &'static str) -> Self {
        Self { expression, zone: "UTC", catch_up: CatchUp::Latest }
    }

    /// The same in an IANA time zone.
    #[must_use]
    pub const fn zone(mut self, zone: &'static str) -> Self {
        self.zone = zone;
        self
    }

    /// The same with another catch-up policy.
    #[must_use]
    pub const fn catch_up(mut self, catch_up: CatchUp) -> Self {
        self.catch_up = catch_up;
        self
    }

    /// The expression.
    pub fn expression(&self) -> &'static str {
        self.expression
    }

    /// The time zone.
    pub fn time_zone(&self) -> &'static str {
        self.zone
    }

    /// The catch-up policy.
    pub fn policy(&self) -> CatchUp {
        self.catch_up
    }

    /// Checks expression and zone, and that it fires at all after `now`.
    pub fn check(&self, now: Timestamp) -> Result<(), CronError> {
        match self.next_after(now)? {
            Some(_) => Ok(()),
            None => Err(CronError::NeverFires { expression: self.expression.to_owned() }),
        }
    }

    /// The first tick strictly after `after`; `None` when there is none.
    pub fn next_after(&self, after: Timestamp) -> Result<Option<Timestamp>, CronError> {
        let cron = CronParser::builder().seconds(Seconds::Optional).build().parse(self.expression).map_err(
            |error| CronError::Expression {
                expression: self.expression.to_owned(),
                reason: error.to_string(),
            },
        )?;
        let zone = TimeZone::get(self.zone).map_err(|_| CronError::Zone { zone: self.zone.to_owned() })?;
        let Ok(start) = jiff::Timestamp::from_microsecond(after.as_unix_micros()) else { return Ok(None) };
        let Ok(next) = cron.find_next_occurrence(&start.to_zoned(zone), false) else { return Ok(None) };
        Ok(Some(Timestamp::from_unix_micros(next.timestamp().as_microsecond())))
    }
}
