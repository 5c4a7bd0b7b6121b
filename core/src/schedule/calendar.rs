//! The times of a cron expression in a time zone: what `Cron` says, read once.

use croner::{CronPattern, Weekday};
use dolmen_ports::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan};

use super::cron::CronError;
use super::{expression, zone};

/// How far ahead a tick is looked for. The longest wait of a sound expression is eight years: 29 February around 2100.
const HORIZON_YEARS: i16 = 10;

/// An expression and a zone that were read and found sound.
#[derive(Debug, Clone)]
pub(crate) struct Calendar {
    pattern: CronPattern,
    hours: Vec<i8>,
    minutes: Vec<i8>,
    seconds: Vec<i8>,
    zone: TimeZone,
}

impl Calendar {
    pub(crate) fn new(expression: &str, zone: &str) -> Result<Self, CronError> {
        let pattern = expression::read(expression)
            .map_err(|reason| CronError::Expression { expression: expression.to_owned(), reason })?;
        let zone = zone::find(zone)?;
        let values =
            |values: Vec<u16>| values.into_iter().filter_map(|value| i8::try_from(value).ok()).collect();
        let (hours, minutes, seconds) =
            (pattern.hours.values(), pattern.minutes.values(), pattern.seconds.values());
        Ok(Self { hours: values(hours), minutes: values(minutes), seconds: values(seconds), pattern, zone })
    }

    /// An instant as a clock in the zone of the schedule shows it.
    pub(crate) fn local(&self, at: Timestamp) -> String {
        zone::local(&self.zone, at)
    }

    /// The first tick strictly after `after`, if there is one within ten years.
    pub(crate) fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = jiff::Timestamp::from_microsecond(after.as_unix_micros()).ok()?;
        let local = self.zone.to_datetime(after);
        let last = local.date().checked_add(HORIZON_YEARS.years()).unwrap_or(Date::MAX);
        let next = if self.hours.len() == 24 {
            self.next_by_passing_time(after, last)
        } else {
            self.next_by_wall_clock(after, next_second(local)?, last)
        }?;
        Some(Timestamp::from_unix_micros(next.as_microsecond()))
    }

    /// For expressions that name hours: each local time comes once, when the wall clock first reaches or passes it.
    ///
    /// That instant never goes back while the local time goes on, so the first one after `after` is the next tick.
    fn next_by_wall_clock(
        &self,
        after: jiff::Timestamp,
        mut from: DateTime,
        last: Date,
    ) -> Option<jiff::Timestamp> {
        loop {
            let local = self.next_local(from, last)?;
            let instant = self.first_reached(local)?;
            if instant > after {
                return Some(instant);
            }
            from = next_second(local)?;
        }
    }

    /// For expressions of every hour: what the wall clock shows, stretch by stretch between the changes of its offset.
    fn next_by_passing_time(&self, after: jiff::Timestamp, last: Date) -> Option<jiff::Timestamp> {
        let mut start = after;
        let mut from = next_second(self.zone.to_datetime(after))?;
        loop {
            let offset = self.zone.to_offset(start);
            let end = self.zone.following(start).next().map(|transition| transition.timestamp());
            let instant = offset.to_timestamp(self.next_local(from, last)?).ok()?;
            match end {
                Some(end) if instant >= end => {
                    start = end;
                    from = self.zone.to_datetime(end);
                }
                _ => return Some(instant),
            }
        }
    }

    /// The instant at which the wall clock shows `local` for the first time, or jumps over it.
    fn first_reached(&self, local: DateTime) -> Option<jiff::Timestamp> {
        match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } | AmbiguousOffset::Fold { before: offset, .. } => {
                offset.to_timestamp(local).ok()
            }
            AmbiguousOffset::Gap { after, .. } => {
                // By the later offset the instant lies before the jump, which is then the next one.
                let before_the_jump = after.to_timestamp(local).ok()?;
                self.zone.following(before_the_jump).next().map(|transition| transition.timestamp())
            }
        }
    }

    /// The first local time that matches, at or after `from` and not after the day `last`.
    fn next_local(&self, from: DateTime, last: Date) -> Option<DateTime> {
        let (mut date, mut earliest) = (from.date(), from.time());
        while date <= last {
            if self.has_day(date)
                && let Some(time) = self.time_at_or_after(earliest)
            {
                return Some(date.to_datetime(time));
            }
            date = date.tomorrow().ok()?;
            earliest = Time::midnight();
        }
        None
    }

    fn has_day(&self, date: Date) -> bool {
        let (Ok(month), Ok(day)) = (u32::try_from(date.month()), u32::try_from(date.day())) else {
            return false;
        };
        self.pattern.month_match(month).unwrap_or(false)
            && self.pattern.day_match(date.year().into(), month, day, weekday(date)).unwrap_or(false)
    }

    fn time_at_or_after(&self, time: Time) -> Option<Time> {
        let first = |values: &[i8], least: i8| values.iter().copied().find(|value| *value >= least);
        if self.hours.contains(&time.hour()) {
            if self.minutes.contains(&time.minute())
                && let Some(second) = first(&self.seconds, time.second())
            {
                return Time::new(time.hour(), time.minute(), second, 0).ok();
            }
            if let Some(minute) = first(&self.minutes, time.minute() + 1) {
                return Time::new(time.hour(), minute, *self.seconds.first()?, 0).ok();
            }
        }
        let hour = first(&self.hours, time.hour() + 1)?;
        Time::new(hour, *self.minutes.first()?, *self.seconds.first()?, 0).ok()
    }
}

/// The first whole second after a local time.
fn next_second(local: DateTime) -> Option<DateTime> {
    let whole = local.with().subsec_nanosecond(0).build().ok()?;
    whole.checked_add(SignedDuration::from_secs(1)).ok()
}

fn weekday(date: Date) -> Weekday {
    use jiff::civil::Weekday as Day;
    match date.weekday() {
        Day::Sunday => Weekday::Sunday,
        Day::Monday => Weekday::Monday,
        Day::Tuesday => Weekday::Tuesday,
        Day::Wednesday => Weekday::Wednesday,
        Day::Thursday => Weekday::Thursday,
        Day::Friday => Weekday::Friday,
        Day::Saturday => Weekday::Saturday,
    }
}
