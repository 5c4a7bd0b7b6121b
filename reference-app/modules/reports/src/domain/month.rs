//! A month of the calendar, in UTC.

use std::fmt;

use dolmen::Timestamp;

/// A month, written `2026-10`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Month {
    year: u16,
    month: u8,
}

/// The text is not a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a month from 2000-01 to 9998-12, such as 2026-10")]
pub(crate) struct InvalidMonth;

impl Month {
    pub(crate) fn parse(text: &str) -> Result<Self, InvalidMonth> {
        let (year, month) = text.split_once('-').ok_or(InvalidMonth)?;
        let digits =
            |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(month, 2) {
            return Err(InvalidMonth);
        }
        let year: u16 = year.parse().map_err(|_| InvalidMonth)?;
        let month: u8 = month.parse().map_err(|_| InvalidMonth)?;
        if !(2000..=9998).contains(&year) || !(1..=12).contains(&month) {
            return Err(InvalidMonth);
        }
        Ok(Self { year, month })
    }

    /// The month that an instant lies in.
    pub(crate) fn of(at: Timestamp) -> Result<Self, InvalidMonth> {
        Self::parse(at.to_string().get(..7).unwrap_or_default())
    }

    /// Its first instant, and the first instant of the next month.
    pub(crate) fn span(self) -> (Timestamp, Timestamp) {
        (self.first_instant(), self.next().first_instant())
    }

    fn next(self) -> Self {
        if self.month == 12 {
            Self { year: self.year + 1, month: 1 }
        } else {
            Self { month: self.month + 1, ..self }
        }
    }

    fn first_instant(self) -> Timestamp {
        // Always a valid instant for the years that `parse` takes.
        format!("{self}-01T00:00:00Z").parse().unwrap_or(Timestamp::MAX)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_spans_to_the_next() {
        let (from, to) = Month::parse("2026-12").unwrap().span();
        assert_eq!(from.to_string(), "2026-12-01T00:00:00.000000Z");
        assert_eq!(to.to_string(), "2027-01-01T00:00:00.000000Z");
        assert_eq!(Month::of(from).unwrap().to_string(), "2026-12");
    }

    #[test]
    fn nonsense_is_no_month() {
        for text in ["2026-13", "2026-00", "2026-1", "26-10", "2026-10-01", "+026-10", "1999-12", ""] {
            assert_eq!(Month::parse(text), Err(InvalidMonth), "{text}");
        }
    }
}
