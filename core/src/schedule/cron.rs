//! Times of the calendar, as a cron expression in a time zone.

use dolmen_ports::Timestamp;

use super::calendar::Calendar;

/// What happens to ticks that nobody published because no scheduler ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum CatchUp {
    /// Forget those that are older than a minute.
    Skip,
    /// Publish the latest one.
    #[default]
    Latest,
    /// Publish the latest ones, up to this many, oldest first.
    Backfill(u32),
}

/// A cron expression with its time zone and catch-up policy.
///
/// Five fields (minute, hour, day of month, month, day of week), or six with seconds first. When both day fields are
/// given, a day that fits either of them fits, as cron has always done. Names of days and months, lists, ranges and steps
/// are understood; so are `L` for the last day, `FRI#2` for the second Friday of a month (`MON-FRI#2` for the second of
/// each of these days), `15W` for the weekday next to the 15th, and `@hourly`, `@daily`, `@weekly`, `@monthly` and
/// `@yearly` in place of all fields. There is no `@every`: an interval is a step, as in `*/5 * * * *`.
///
/// # Summer time
/// - An expression that names hours, such as `30 2 * * *`: each of its local times comes once, when the wall clock first
///   reaches or passes it. A time that is skipped comes at the first instant after the gap (several at once come as one);
///   a time that is repeated comes the first time.
/// - An expression of every hour, such as `*/15 * * * *`, follows the time that passes: it comes whenever the wall clock
///   shows it, also twice, and no hour goes without.
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
    /// The expression breaks the syntax. The reason names the column.
    #[error("schedule/invalid: {expression:?} is not a cron expression: {reason}; example: 30 2 * * *")]
    Expression {
        /// What was given.
        expression: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The zone is not in the IANA time zone database.
    #[error("schedule/unknown-zone: {zone:?} is not an IANA time zone; {}", meant(nearest.as_deref()))]
    Zone {
        /// What was given.
        zone: String,
        /// The zone whose name is nearest, when one is near.
        nearest: Option<String>,
    },
    /// The expression is sound and names no date that comes.
    #[error("schedule/never-fires: {expression:?} has no date in the next 10 years")]
    NeverFires {
        /// What was given.
        expression: String,
    },
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map_or_else(|| "example: Europe/Berlin".to_owned(), |zone| format!("did you mean {zone}?"))
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

    /// Checks expression and zone, and that it comes at all within ten years of `now`.
    pub fn check(&self, now: Timestamp) -> Result<(), CronError> {
        match self.next_after(now)? {
            Some(_) => Ok(()),
            None => Err(CronError::NeverFires { expression: self.expression.to_owned() }),
        }
    }

    /// The first tick strictly after `after`; `None` when there is none within ten years.
    pub fn next_after(&self, after: Timestamp) -> Result<Option<Timestamp>, CronError> {
        Ok(self.calendar()?.next_after(after))
    }

    /// The first `count` ticks after `after`, to look at before it is trusted.
    pub fn upcoming(&self, after: Timestamp, count: usize) -> Result<Vec<Timestamp>, CronError> {
        let calendar = self.calendar()?;
        Ok(std::iter::successors(calendar.next_after(after), |tick| calendar.next_after(*tick))
            .take(count)
            .collect())
    }

    /// Reads expression and zone once, for many ticks.
    pub(crate) fn calendar(&self) -> Result<Calendar, CronError> {
        Calendar::new(self.expression, self.zone)
    }
}
