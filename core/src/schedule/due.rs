//! Which ticks to publish, by the catch-up policy: a pure function.

use std::time::Duration;

use dolmen_ports::Timestamp;

use super::calendar::Calendar;
use super::cron::CatchUp;

/// How old a tick may be to count as on time where missed ones are skipped.
const ON_TIME: Duration = Duration::from_mins(1);
/// Where the search for the latest ticks begins, and how much wider each next search is: a schedule of every second that
/// nobody served for a year has 31 million missed ticks, of which at most the last ones matter.
const FIRST_SEARCH: Duration = Duration::from_mins(1);
const WIDER: u32 = 30;

/// The ticks after `from` and up to `now` that are to be published, in their order.
pub(super) fn due(calendar: &Calendar, policy: CatchUp, from: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    match policy {
        CatchUp::Skip => between(calendar, from.max(now.minus(ON_TIME)), now),
        CatchUp::Latest => latest(calendar, 1, from, now),
        CatchUp::Backfill(count) => latest(calendar, usize::try_from(count).unwrap_or(usize::MAX), from, now),
    }
}

fn latest(calendar: &Calendar, count: usize, from: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    let mut reach = FIRST_SEARCH;
    loop {
        let start = from.max(now.minus(reach));
        let mut ticks = between(calendar, start, now);
        if ticks.len() >= count || start == from {
            return ticks.split_off(ticks.len().saturating_sub(count));
        }
        reach = reach.saturating_mul(WIDER);
    }
}

fn between(calendar: &Calendar, from: Timestamp, now: Timestamp) -> Vec<Timestamp> {
    std::iter::successors(calendar.next_after(from), |tick| calendar.next_after(*tick))
        .take_while(|tick| *tick <= now)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn due_between(expression: &str, policy: CatchUp, from: &str, now: &str) -> Vec<String> {
        let calendar = Calendar::new(expression, "UTC").unwrap();
        due(&calendar, policy, at(from), at(now))
            .iter()
            .map(|tick| tick.to_string()[..19].to_owned())
            .collect()
    }

    const FROM: &str = "2026-01-01T00:30:00Z";

    #[test]
    fn a_tick_on_time_is_published_by_every_policy() {
        for policy in [CatchUp::Skip, CatchUp::Latest, CatchUp::Backfill(3)] {
            let ticks = due_between("0 * * * *", policy, FROM, "2026-01-01T01:00:00Z");
            assert_eq!(ticks, ["2026-01-01T01:00:00"], "{policy:?}");
        }
    }

    #[test]
    fn missed_ticks_follow_the_policy() {
        let missed = |policy| due_between("0 * * * *", policy, FROM, "2026-01-01T05:10:00Z");
        assert!(missed(CatchUp::Skip).is_empty());
        assert_eq!(missed(CatchUp::Latest), ["2026-01-01T05:00:00"]);
        let two = ["2026-01-01T04:00:00", "2026-01-01T05:00:00"];
        assert_eq!(missed(CatchUp::Backfill(2)), two);
        assert_eq!(missed(CatchUp::Backfill(99)).len(), 5);
        assert!(missed(CatchUp::Backfill(0)).is_empty());
    }

    #[test]
    fn the_start_is_not_due_and_the_present_is() {
        let ticks =
            due_between("0 * * * *", CatchUp::Backfill(9), "2026-01-01T01:00:00Z", "2026-01-01T02:00:00Z");
        assert_eq!(ticks, ["2026-01-01T02:00:00"]);
    }

    #[test]
    fn a_clock_that_went_back_makes_nothing_due() {
        assert!(due_between("* * * * * *", CatchUp::Backfill(9), FROM, "2026-01-01T00:00:00Z").is_empty());
    }

    #[test]
    fn years_of_missed_seconds_are_not_walked_through() {
        let ticks =
            due_between("* * * * * *", CatchUp::Latest, "1990-01-01T00:00:00Z", "2026-01-01T00:00:00Z");
        assert_eq!(ticks, ["2026-01-01T00:00:00"]);
    }
}
