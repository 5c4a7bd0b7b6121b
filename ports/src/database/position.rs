//! How far a database had come: what a client that wrote shows, to read what it wrote.

use std::fmt;
use std::num::ParseIntError;
use std::str::FromStr;

use crate::time::Timestamp;

/// A point in the history of a database: a read after it sees everything that was committed up to it (`DB-14`).
///
/// It travels as text, which means nothing to anybody but the adapter that made it; any instance of the program can read
/// it.
///
/// # Examples
/// ```
/// use dolmen_ports::Position;
/// let position = Position::Log { system: 7, timeline: 1, offset: 0x16_b3_74_80 };
/// assert_eq!(position.to_string(), "l-7-1-16b37480");
/// assert_eq!("l-7-1-16b37480".parse(), Ok(position));
/// assert!("16/B374D80".parse::<Position>().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Position {
    /// In a log that all replicas follow: a replica that has come so far has it all.
    Log {
        /// Which database it is, among all that ever were.
        system: u64,
        /// Which branch of its history; each promotion of a replica begins a new one.
        timeline: u32,
        /// How far, in bytes.
        offset: u64,
    },
    /// Nothing that a replica could be asked for: until then, only the primary will do.
    Primary {
        /// From then on the replicas that are in use have it all.
        until: Timestamp,
    },
}

impl Position {
    /// The one that lies further ahead. Of two that cannot be compared it is the other one.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        let is_behind = match (self, other) {
            (
                Self::Log { system: one, timeline, offset },
                Self::Log { system: two, timeline: other_timeline, offset: other_offset },
            ) => one != two || (timeline, offset) <= (other_timeline, other_offset),
            (Self::Primary { until }, Self::Primary { until: other_until }) => until <= other_until,
            _ => true,
        };
        if is_behind { other } else { self }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log { system, timeline, offset } => write!(f, "l-{system:x}-{timeline:x}-{offset:x}"),
            Self::Primary { until } => write!(f, "p-{:x}", until.as_unix_micros()),
        }
    }
}

/// The text is no [`Position`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position of a database; send the one that an answer gave, unchanged")]
pub struct ParsePositionError;

impl From<ParseIntError> for ParsePositionError {
    fn from(_: ParseIntError) -> Self {
        Self
    }
}

impl FromStr for Position {
    type Err = ParsePositionError;

    fn from_str(text: &str) -> Result<Self, ParsePositionError> {
        let mut parts = text.split('-');
        let position = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("l"), Some(system), Some(timeline), Some(offset)) => Self::Log {
                system: u64::from_str_radix(system, 16)?,
                timeline: u32::from_str_radix(timeline, 16)?,
                offset: u64::from_str_radix(offset, 16)?,
            },
            (Some("p"), Some(until), None, None) => {
                Self::Primary { until: Timestamp::from_unix_micros(i64::from_str_radix(until, 16)?) }
            }
            _ => return Err(ParsePositionError),
        };
        // One text for each position: no signs, no capitals, nothing after it.
        if position.to_string() == text { Ok(position) } else { Err(ParsePositionError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(system: u64, timeline: u32, offset: u64) -> Position {
        Position::Log { system, timeline, offset }
    }

    #[test]
    fn a_position_comes_back_from_its_text_and_nothing_else_does() {
        let until = Timestamp::from_unix_micros(1_700_000_000_000_000);
        for position in [log(u64::MAX, u32::MAX, u64::MAX), log(0, 0, 0), Position::Primary { until }] {
            assert_eq!(position.to_string().parse(), Ok(position));
        }
        for text in [
            "",
            "l",
            "l-1-2",
            "l-1-2-3-4",
            "l-1-2--3",
            "l-+1-2-3",
            "l-01-2-3",
            "L-1-2-3",
            "l-1-2-A",
            "l-1-2-3 ",
            "l-1-100000000-3",
            "p-7fffffffffffffff",
            "p--1-",
            "q-1",
            "p-1-2",
            "l-g-1-1",
        ] {
            assert_eq!(text.parse::<Position>(), Err(ParsePositionError), "{text:?}");
        }
    }

    #[test]
    fn the_further_one_of_two_wins_and_the_later_one_where_nothing_tells() {
        assert_eq!(log(1, 1, 9).max(log(1, 1, 8)), log(1, 1, 9));
        assert_eq!(log(1, 1, 9).max(log(1, 2, 8)), log(1, 2, 8));
        assert_eq!(log(1, 3, 9).max(log(2, 1, 1)), log(2, 1, 1));
        let until = |micros| Position::Primary { until: Timestamp::from_unix_micros(micros) };
        assert_eq!(until(2).max(until(1)), until(2));
        assert_eq!(until(2).max(log(1, 1, 1)), log(1, 1, 1));
    }
}
