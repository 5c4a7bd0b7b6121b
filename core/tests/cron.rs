//! What cron expressions mean, and what is said of those that mean nothing.

#![cfg(test)]

use dolmen::{Cron, Timestamp};

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn refused(expression: &'static str, zone: &'static str) -> String {
    Cron::new(expression).zone(zone).check(now()).expect_err(expression).to_string()
}

#[test]
fn expressions_that_cannot_be_used_say_why_and_where() {
    let table = [
        ("* * * *", "schedule/invalid: \"* * * *\" is not a cron expression: 4 fields, and 5 or 6 make"),
        ("* * * *", "at column 8"),
        ("60 * * * *", "minute \"60\" at column 1"),
        ("0,15,99 * * * *", "minute \"99\" at column 6"),
        ("0  24 * * *", "hour \"24\" at column 4"),
        ("0 0 32 * *", "day of month \"32\" at column 5"),
        ("0 0 * JANUAR *", "month \"JANUAR\" at column 7"),
        ("0 0 * * MON#6", "day of week \"MON#6\" at column 9"),
        ("0 é * * *", "at column 3"),
        ("61 0 0 * * *", "second \"61\" at column 1"),
        ("@every 1s", "\"@every\" at column 1 is none of @hourly"),
        ("@every 1s", "an interval is a field, as in */5 * * * *"),
        ("0 0 0 1 1 * 2030", "7 fields, and 5 or 6 make an expression, at column 13"),
        ("", "schedule/invalid: \"\""),
        ("", "at column 1"),
        ("0 0 31 2 *", "schedule/never-fires: \"0 0 31 2 *\" has no date in the next 10 years"),
        ("0 * 30 2 *", "schedule/never-fires"),
    ];
    for (expression, expected) in table {
        let told = refused(expression, "Europe/Berlin");
        assert!(told.contains(expected), "{told} should say {expected}");
    }
}

#[test]
fn an_unknown_zone_is_told_with_the_name_that_was_meant() {
    let table = [
        (
            "Europe/Berlni",
            "schedule/unknown-zone: \"Europe/Berlni\" is not an IANA time zone; did you mean Europe/Berlin?",
        ),
        ("Berlin", "did you mean Europe/Berlin?"),
        ("Amerika/New_York", "did you mean America/New_York?"),
        ("Mars/Olympus_Mons", "is not an IANA time zone; example: Europe/Berlin"),
    ];
    for (zone, expected) in table {
        let told = refused("0 0 * * *", zone);
        assert!(told.contains(expected), "{told} should say {expected}");
    }
}

#[test]
fn a_date_that_is_eight_years_ahead_is_found() {
    let leap_day = Cron::new("0 0 29 2 *").check("2096-03-01T00:00:00Z".parse().unwrap());
    assert_eq!(leap_day, Ok(()));
}

#[test]
fn words_of_cron_mean_what_the_documentation_says() {
    let table: [(&str, &[&str]); 6] = [
        ("0 0 * * MON-FRI#2", &["2026-01-08", "2026-01-09", "2026-01-12", "2026-01-13", "2026-01-14"]),
        ("0 0 * * FRI#2", &["2026-01-09", "2026-02-13"]),
        ("0 0 L * *", &["2026-01-31", "2026-02-28"]),
        // The 15th of February and of March 2026 are Sundays.
        ("0 0 15W * *", &["2026-01-15", "2026-02-16", "2026-03-16"]),
        ("@monthly", &["2026-02-01", "2026-03-01"]),
        // Either day field fits.
        ("0 0 13 * FRI", &["2026-01-02", "2026-01-09", "2026-01-13"]),
    ];
    for (expression, expected) in table {
        let ticks = Cron::new(expression).upcoming(now(), expected.len()).unwrap();
        let days: Vec<String> = ticks.iter().map(|tick| tick.to_string()[..10].to_owned()).collect();
        assert_eq!(days, expected, "{expression}");
    }
}
