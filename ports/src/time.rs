//! Time as a value: `Timestamp`, and the `Clock` that tells it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

const EPOCH: jiff::civil::DateTime = jiff::civil::DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
const MICROS_PER_SECOND: i64 = 1_000_000;
/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z, the range that all three databases keep.
const MIN_MICROS: i64 = -62_135_596_800 * MICROS_PER_SECOND;
const MAX_MICROS: i64 = 253_402_300_800 * MICROS_PER_SECOND - 1;

/// An instant in UTC with microseconds, from year 1 to year 9999.
///
/// Microseconds by construction, because that is what every supported database keeps: a value is equal to
/// itself after a round trip. Its text form is RFC 3339 in UTC with six digits and a `Z`, so text order is time
/// order.
///
/// # Examples
/// ```
/// use dolmen_ports::Timestamp;
/// let at: Timestamp = "2026-10-01T12:00:00.5+02:00".parse().unwrap();
/// assert_eq!(at.to_string(), "2026-10-01T10:00:00.500000Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first instant: 0001-01-01T00:00:00Z.
    pub const MIN: Self = Self(MIN_MICROS);
    /// The last instant: 9999-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(MAX_MICROS);
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(0);

    /// Makes a timestamp from microseconds since 1970, clamped to the range.
    pub const fn from_unix_micros(micros: i64) -> Self {
        if micros < MIN_MICROS {
            Self::MIN
        } else if micros > MAX_MICROS {
            Self::MAX
        } else {
            Self(micros)
        }
    }

    /// Microseconds since 1970.
    pub const fn as_unix_micros(self) -> i64 {
        self.0
    }

    /// Makes a timestamp from whole seconds since 1970, clamped to the range.
    pub const fn from_unix_seconds(seconds: i64) -> Self {
        Self::from_unix_micros(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Whole seconds since 1970, rounded down.
    pub const fn as_unix_seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }

    /// This instant plus `duration`, at most [`Timestamp::MAX`].
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self::from_unix_micros(self.0.saturating_add(micros(duration)))
    }

    /// This instant minus `duration`, at least [`Timestamp::MIN`].
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self::from_unix_micros(self.0.saturating_sub(micros(duration)))
    }

    /// How long after `earlier` this instant is; zero when it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        let micros = self.0.saturating_sub(earlier.0);
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Civil time, because jiff's own timestamps end a day before year 9999 does.
        let at = EPOCH.checked_add(jiff::SignedDuration::from_micros(self.0)).map_err(|_| fmt::Error)?;
        write!(f, "{at:.6}Z")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not RFC 3339 with an offset, or lies outside of year 1 to 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not RFC 3339 with an offset and a year from 1 to 9999; example: 2026-10-01T12:00:00Z")]
pub struct ParseTimestampError {
    text: String,
}

impl FromStr for Timestamp {
    type Err = ParseTimestampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_micros(text)
            .map(Self)
            .ok_or_else(|| ParseTimestampError { text: text.chars().take(64).collect() })
    }
}

fn parse_micros(text: &str) -> Option<i64> {
    let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
    let offset = pieces.to_numeric_offset()?;
    let local = pieces.date().to_datetime(pieces.time()?);
    let utc =
        local.duration_since(EPOCH).checked_sub(jiff::SignedDuration::from_secs(offset.seconds().into()))?;
    let micros = i64::try_from(utc.as_micros()).ok()?;
    (MIN_MICROS..=MAX_MICROS).contains(&micros).then_some(micros)
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Tells the time. Schedules, expiry and tests use it; leases do not (they live on the database's clock).
///
/// # Contract
/// - `CL-1` `now` never blocks and never fails.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// The current instant.
    fn now(&self) -> Timestamp;
}

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the machine's clock")]
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(jiff::Timestamp::now().as_microsecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_order_is_time_order() {
        let whole: Timestamp = "2026-10-01T10:00:00Z".parse().unwrap();
        let half: Timestamp = "2026-10-01T10:00:00.5Z".parse().unwrap();
        assert!(whole < half && whole.to_string() < half.to_string());
    }

    #[test]
    fn ends_of_the_range_round_trip() {
        for at in [Timestamp::MIN, Timestamp::MAX, Timestamp::from_unix_seconds(2_147_483_648)] {
            assert_eq!(at.to_string().parse::<Timestamp>().unwrap(), at);
        }
    }

    #[test]
    fn text_without_offset_or_out_of_range_is_refused() {
        for text in [
            "2026-10-01T10:00:00",
            "2026-10-01",
            "10000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "2026-10-01T23:60:00Z",
            "",
        ] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
    }
}
