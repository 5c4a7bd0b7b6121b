//! Schedules in zones that change their offset: by an hour, by half an hour, by a whole day.

#![cfg(test)]

use std::ops::RangeInclusive;
use std::time::Duration;

use dolmen::{Cron, Timestamp};
use jiff::civil::{DateTime, Weekday, date};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan, Zoned};

const ZONES: [&str; 4] = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"];

/// An expression, and the same said in Rust.
struct Case {
    expression: &'static str,
    every_hour: bool,
    matches: fn(DateTime) -> bool,
}

const fn named_hours(expression: &'static str, matches: fn(DateTime) -> bool) -> Case {
    Case { expression, every_hour: false, matches }
}

const fn every_hour(expression: &'static str, matches: fn(DateTime) -> bool) -> Case {
    Case { expression, every_hour: true, matches }
}

const CASES: [Case; 9] = [
    named_hours("30 2 * * *", |t| t.hour() == 2 && t.minute() == 30),
    named_hours("0 2 * * *", |t| t.hour() == 2 && t.minute() == 0),
    named_hours("0 0 * * *", |t| t.hour() == 0 && t.minute() == 0),
    named_hours("45 1,13 * * *", |t| t.hour() % 12 == 1 && t.minute() == 45),
    named_hours("*/30 0-5 * * *", |t| t.hour() <= 5 && t.minute() % 30 == 0),
    named_hours("15 */2 * * SUN", |t| t.hour() % 2 == 0 && t.minute() == 15 && is_sunday(t)),
    every_hour("0 * * * *", |t| t.minute() == 0),
    every_hour("*/15 * * * *", |t| t.minute() % 15 == 0),
    every_hour("20 * * * SUN", |t| t.minute() == 20 && is_sunday(t)),
];

fn is_sunday(at: DateTime) -> bool {
    at.weekday() == Weekday::Sunday
}

fn stamp(at: jiff::Timestamp) -> Timestamp {
    Timestamp::from_unix_micros(at.as_microsecond())
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_microsecond(at.as_unix_micros()).unwrap()
}

/// The local times, in `zone`, of the first `count` ticks after a local time.
fn local_ticks(expression: &'static str, zone: &'static str, after: &str, count: usize) -> Vec<String> {
    let time_zone = TimeZone::get(zone).unwrap();
    let after: DateTime = after.parse().unwrap();
    let after = after.to_zoned(time_zone.clone()).unwrap().timestamp();
    let ticks = Cron::new(expression).zone(zone).upcoming(stamp(after), count).unwrap();
    let local = |tick: &Timestamp| instant(*tick).to_zoned(time_zone.clone());
    ticks.iter().map(|tick| local(tick).strftime("%d %H:%M %:z").to_string()).collect()
}

#[test]
fn changes_of_the_offset_follow_the_rules() {
    let table: [(&str, &str, &str, &[&str]); 12] = [
        // Berlin, 29 March 2026: 02:00 becomes 03:00.
        ("30 2 * * *", "Europe/Berlin", "2026-03-28T03:00", &["29 03:00 +02:00", "30 02:30 +02:00"]),
        ("0 * * * *", "Europe/Berlin", "2026-03-29T00:30", &["29 01:00 +01:00", "29 03:00 +02:00"]),
        ("*/30 2-3 * * *", "Europe/Berlin", "2026-03-29T00:00", &["29 03:00 +02:00", "29 03:30 +02:00"]),
        // Berlin, 25 October 2026: 03:00 becomes 02:00.
        ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00", &["25 02:30 +02:00", "26 02:30 +01:00"]),
        (
            "30 * * * *",
            "Europe/Berlin",
            "2026-10-25T01:00",
            &["25 01:30 +02:00", "25 02:30 +02:00", "25 02:30 +01:00", "25 03:30 +01:00"],
        ),
        // New York, 8 March and 1 November 2026.
        ("15 2 * * *", "America/New_York", "2026-03-07T12:00", &["08 03:00 -04:00", "09 02:15 -04:00"]),
        ("15 1 * * *", "America/New_York", "2026-10-31T12:00", &["01 01:15 -04:00", "02 01:15 -05:00"]),
        // Lord Howe, 4 October 2026: 02:00 becomes 02:30.
        ("10 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", &["04 02:30 +11:00", "05 02:10 +11:00"]),
        (
            "*/15 * * * *",
            "Australia/Lord_Howe",
            "2026-10-04T01:40",
            &["04 01:45 +10:30", "04 02:30 +11:00", "04 02:45 +11:00"],
        ),
        // Lord Howe, 5 April 2026: 02:00 becomes 01:30.
        ("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00", &["05 01:45 +11:00", "06 01:45 +10:30"]),
        // Apia had no 30 December 2011.
        ("30 2 * * *", "Pacific/Apia", "2011-12-29T02:30", &["31 00:00 +14:00", "31 02:30 +14:00"]),
        ("0 9 * * FRI", "Pacific/Apia", "2011-12-24T00:00", &["31 00:00 +14:00", "06 09:00 +14:00"]),
    ];
    for (expression, zone, after, expected) in table {
        assert_eq!(local_ticks(expression, zone, after, expected.len()), expected, "{expression} in {zone}");
    }
}

/// What should come in a stretch of time, found by looking at the clock every minute.
fn by_looking_at_the_clock(case: &Case, from: &Zoned, until: &Zoned) -> Vec<Timestamp> {
    let mut ticks = Vec::new();
    let mut reached = from.datetime();
    let mut at = from.timestamp();
    while at < until.timestamp() {
        at = at.checked_add(SignedDuration::from_mins(1)).unwrap();
        let shown = from.time_zone().to_datetime(at);
        let mut fires = case.every_hour && (case.matches)(shown);
        while reached < shown {
            reached = reached.checked_add(1.minute()).unwrap();
            fires |= !case.every_hour && (case.matches)(reached);
        }
        if fires {
            ticks.push(stamp(at));
        }
    }
    ticks
}

/// The changes of a zone's offset in some years.
fn changes(zone: &TimeZone, years: &RangeInclusive<i16>) -> Vec<jiff::Timestamp> {
    let start = date(*years.start(), 1, 1).to_zoned(zone.clone()).unwrap().timestamp();
    zone.following(start)
        .map(|transition| transition.timestamp())
        .take_while(|at| years.contains(&zone.to_datetime(*at).year()))
        .collect()
}

#[test]
fn around_each_change_of_ten_years_ticks_are_those_that_the_clock_shows() {
    let mut compared = 0;
    for zone_name in ZONES {
        let zone = TimeZone::get(zone_name).unwrap();
        // Apia has had no summer time since 2021; before, it lost a day.
        let years = if zone_name == "Pacific/Apia" { 2011..=2021 } else { 2026..=2035 };
        for change in changes(&zone, &years) {
            let from = change.to_zoned(zone.clone()).start_of_day().unwrap().checked_sub(1.day()).unwrap();
            let until = from.checked_add(4.days()).unwrap();
            for case in &CASES {
                let expected = by_looking_at_the_clock(case, &from, &until);
                let cron = Cron::new(case.expression).zone(zone_name);
                let ticks = cron.upcoming(stamp(from.timestamp()), expected.len() + 1).unwrap();
                let (inside, after) = ticks.split_at(expected.len());
                assert_eq!(inside, expected, "{} in {zone_name} around {change}", case.expression);
                assert!(after[0] > stamp(until.timestamp()), "{} in {zone_name}", case.expression);
                compared += expected.len();
            }
        }
    }
    assert!(compared > 10_000, "only {compared} ticks were compared");
}

#[test]
fn no_day_of_ten_years_lacks_its_daily_tick_or_has_two() {
    for zone_name in ZONES {
        let zone = TimeZone::get(zone_name).unwrap();
        let before = date(2025, 12, 31).at(23, 59, 59, 0).to_zoned(zone.clone()).unwrap().timestamp();
        for expression in ["0 0 * * *", "30 1 * * *", "5 2 * * *", "59 23 * * *"] {
            let mut day = date(2026, 1, 1);
            for tick in Cron::new(expression).zone(zone_name).upcoming(stamp(before), 3_652).unwrap() {
                assert_eq!(zone.to_datetime(instant(tick)).date(), day, "{expression} in {zone_name}");
                day = day.tomorrow().unwrap();
            }
            assert_eq!(day, date(2036, 1, 1), "{expression} in {zone_name}");
        }
    }
}

#[test]
fn every_real_hour_of_ten_years_has_its_tick_where_offsets_change_by_whole_hours() {
    for zone_name in ["Europe/Berlin", "America/New_York"] {
        let start: Timestamp = "2026-01-01T00:17:00Z".parse().unwrap();
        let ticks = Cron::new("17 * * * *").zone(zone_name).upcoming(start, 87_648).unwrap();
        let uneven = ticks.windows(2).find(|pair| pair[1].since(pair[0]) != Duration::from_hours(1));
        assert_eq!(uneven, None, "{zone_name}");
    }
}
