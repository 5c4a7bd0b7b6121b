//! F31: the clock of a zone is turned while schedulers are killed: each tick that the clock shows is published once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned};

use crate::database::Server;
use crate::failure::{Failure, Outcome, While as _};

use super::dice::Dice;
use super::patience::{pause, until};
use super::programs::Programs;
use super::site::{Site, end_all, milliseconds_since_1970};
use super::ticks::Ticks;
use super::verdict::{Figures, Verdict, some};

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    zones: &'static [Turned],
    /// How far the schedulers' clock is put forward at once around the change.
    step: SignedDuration,
}

/// A zone, and some changes of its offset.
#[derive(Debug)]
struct Turned {
    zone: &'static str,
    /// The changes after this date.
    since: &'static str,
    changes: usize,
}

const fn turned(zone: &'static str, since: &'static str, changes: usize) -> Turned {
    Turned { zone, since, changes }
}

/// What the fault promises in full: by an hour, by half an hour, and by a whole day.
pub(super) const FULL: Plan = Plan {
    zones: &[
        turned("Europe/Berlin", "2026-01-01T00:00:00Z", 2),
        turned("America/New_York", "2026-01-01T00:00:00Z", 2),
        turned("Australia/Lord_Howe", "2026-01-01T00:00:00Z", 2),
        turned("Pacific/Apia", "2011-12-01T00:00:00Z", 1),
    ],
    step: SignedDuration::from_mins(10),
};
/// For every change.
pub(super) const SLICE: Plan = Plan {
    zones: &[turned("Europe/Berlin", "2026-01-01T00:00:00Z", 2)],
    step: SignedDuration::from_mins(45),
};

/// One change shows whether an offset is kept.
const SABOTAGED: Plan = Plan { zones: &[turned("Europe/Berlin", "2026-01-01T00:00:00Z", 1)], ..SLICE };

/// Before the change and after it, so that a whole day of each is seen; no tick falls on the ends.
const AROUND: SignedDuration = SignedDuration::from_mins(25 * 60 + 7);
/// Where the clock is put forward by steps: an hour that is there twice, and some time around it.
const SLOWLY: (SignedDuration, SignedDuration) =
    (SignedDuration::from_mins(-35), SignedDuration::from_mins(100));
const SCHEDULERS: usize = 2;
/// A scheduler looks at its clock with each tick, so once a second; then it publishes for a moment.
const SEEN_WITHIN: Duration = Duration::from_millis(1_200);
const PUBLISHED_WITHIN: Duration = Duration::from_secs(20);

/// A schedule of the program's, and the same said in Rust.
struct Local {
    schedule: &'static str,
    /// It comes as often as the clock shows its time; else once, and also when the clock leaves it out.
    every_hour: bool,
    matches: fn(DateTime) -> bool,
}

const LOCAL: [Local; 4] = [
    Local { schedule: "early", every_hour: false, matches: |t| (t.hour(), t.minute()) == (1, 45) },
    Local { schedule: "daily", every_hour: false, matches: |t| (t.hour(), t.minute()) == (2, 15) },
    Local { schedule: "local-hourly", every_hour: true, matches: |t| t.minute() == 0 },
    Local { schedule: "quarterly", every_hour: true, matches: |t| t.minute() % 15 == 0 },
];

/// Runs the plan, each change on a database of its own; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let plan = if sabotage.is_some() { SABOTAGED } else { plan };
    let mut changes = Vec::new();
    for turned in plan.zones {
        changes.extend(changes_of(turned)?);
    }
    let runs = changes.iter().map(|change| {
        let site = Site::set("F31", programs, server, sabotage, seed)?;
        let played = play(&site, change, plan.step, seed);
        site.end_with(played)
    });
    Verdict::of_runs(sabotage.is_some(), runs)
}

/// The moments at which a zone's clock is turned.
fn changes_of(turned: &Turned) -> Outcome<Vec<Zoned>> {
    let zone = TimeZone::get(turned.zone).while_doing("find a zone")?;
    let since: Timestamp = turned.since.parse().while_doing("read a date")?;
    let changes = zone.following(since).take(turned.changes);
    Ok(changes.map(|change| change.timestamp().to_zoned(zone.clone())).collect())
}

fn play(site: &Site, change: &Zoned, step: SignedDuration, seed: u64) -> Outcome<Findings> {
    let zone = change.time_zone().iana_name().ok_or_else(|| Failure::new("the zone has no name"))?;
    let clock = site.folder.path().join("clock");
    let path = clock.to_string_lossy();
    let start = || site.start(&["--roles", "scheduler", "--clock", &path, "--zone", zone]);
    let (begin, end) = (change - AROUND, change + AROUND);
    put(&clock, &begin)?;
    let mut schedulers = (0..SCHEDULERS).map(|_| start()).collect::<Outcome<Vec<_>>>()?;
    until_published(site, &begin)?;
    let slowly = std::iter::successors(Some(SLOWLY.0), |at| Some(*at + step)).take_while(|at| *at < SLOWLY.1);
    let (mut dice, mut kills) = (Dice::new(seed), 0);
    for stop in slowly.map(|at| change + at).chain([end.clone()]) {
        put(&clock, &stop)?;
        // Before it has seen the new time, while it publishes, or after it.
        pause(dice.time_below(SEEN_WITHIN));
        if let Some(scheduler) = schedulers.first_mut() {
            scheduler.kill()?;
            *scheduler = start()?;
        }
        kills += 1;
        schedulers.rotate_left(1);
        until_published(site, &stop)?;
    }
    end_all(&mut schedulers)?;
    let ticks = Ticks::gather(site)?;
    let expected = LOCAL.iter().map(|local| (local.schedule, shown(local, &begin, &end))).collect();
    Ok(Findings {
        change: change.clone(),
        kills,
        expected,
        ticks,
        seed,
        seconds: site.started.elapsed().as_secs_f32(),
    })
}

/// Puts the schedulers' clock to a time; it goes on from there.
fn put(clock: &Path, to: &Zoned) -> Outcome<()> {
    let now = i64::try_from(milliseconds_since_1970()? / 1_000).while_doing("read the clock")?;
    // At once: half a number would be another time.
    let new = clock.with_extension("new");
    std::fs::write(&new, (to.timestamp().as_second() - now).to_string())?;
    Ok(std::fs::rename(new, clock)?)
}

/// Waits until all of that time is published: the schedule of every second comes last in a look at all of them.
fn until_published(site: &Site, at: &Zoned) -> Outcome<()> {
    until(PUBLISHED_WITHIN, "the ticks to be published", || {
        let last = site.ask(&["last-tick", "chaos.latest"])?.trim().parse::<i64>().unwrap_or(0);
        Ok((last > at.timestamp().as_second() + 1).then_some(()))
    })
}

/// The ticks, in seconds since 1970, that somebody sees who looks at the zone's clock each minute.
fn shown(local: &Local, from: &Zoned, until: &Zoned) -> BTreeSet<i64> {
    let (mut ticks, mut reached) = (BTreeSet::new(), from.datetime());
    let minutes = (from.timestamp().as_second() / 60 + 1)..=(until.timestamp().as_second() / 60);
    for second in minutes.map(|minute| minute * 60) {
        let Ok(at) = Timestamp::from_second(second) else { continue };
        let shows = from.time_zone().to_datetime(at);
        let mut comes = local.every_hour && (local.matches)(shows);
        while reached < shows {
            reached = reached.saturating_add(1.minute());
            comes |= !local.every_hour && (local.matches)(reached);
        }
        if comes {
            ticks.insert(second);
        }
    }
    ticks
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    change: Zoned,
    kills: usize,
    /// By schedule.
    expected: BTreeMap<&'static str, BTreeSet<i64>>,
    ticks: BTreeMap<String, Ticks>,
    seed: u64,
    seconds: f32,
}

impl Findings {
    /// The ticks of the zone's schedules that one side has and the other has not.
    fn differences(&self, is_missing: bool) -> Vec<String> {
        let mut differences = Vec::new();
        for (schedule, expected) in &self.expected {
            let came: BTreeSet<i64> = self
                .ticks
                .get(*schedule)
                .map(|ticks| ticks.jobs.keys().copied().collect())
                .unwrap_or_default();
            let (ours, theirs) = if is_missing { (expected, &came) } else { (&came, expected) };
            differences
                .extend(ours.difference(theirs).map(|tick| format!("{schedule} {}", self.local(*tick))));
        }
        differences
    }

    fn local(&self, second: i64) -> String {
        let at = Timestamp::from_second(second).unwrap_or_default();
        at.to_zoned(self.change.time_zone().clone()).strftime("%F %H:%M %:z").to_string()
    }
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        let (missing, more) = (self.differences(true), self.differences(false));
        let doubled: Vec<String> = self.ticks.values().flat_map(Ticks::doubled).collect();
        verdict.promise(missing.is_empty(), || format!("missing ticks: {}", some(&missing)));
        verdict.promise(more.is_empty(), || format!("ticks that the clock does not show: {}", some(&more)));
        verdict.promise(doubled.is_empty(), || format!("ticks with more than one job: {}", some(&doubled)));
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let expected = self.expected.values().map(BTreeSet::len).sum::<usize>();
        write!(
            f,
            "the clock of {} is turned at {}, {} kills of {SCHEDULERS} schedulers, {expected} ticks that it shows, {} missing, {} \
             others, seed {}, {:.0} s: {}",
            self.change.time_zone().iana_name().unwrap_or_default(),
            self.change.strftime("%F %H:%M %:z"),
            self.kills,
            self.differences(true).len(),
            self.differences(false).len(),
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_that_is_there_twice_or_never_has_each_tick_once() {
        let change = |index: usize| {
            let turned = turned("Europe/Berlin", "2026-01-01T00:00:00Z", 2);
            changes_of(&turned).expect("changes").into_iter().nth(index).expect("a change")
        };
        let ticks = |index: usize, schedule: &str| -> Vec<String> {
            let local = LOCAL.iter().find(|local| local.schedule == schedule).expect("a schedule");
            let change = change(index);
            let (from, until) =
                (&change - SignedDuration::from_mins(61), &change + SignedDuration::from_mins(61));
            let at = |second: i64| {
                Timestamp::from_second(second).expect("a time").to_zoned(change.time_zone().clone())
            };
            shown(local, &from, &until)
                .into_iter()
                .map(|tick| at(tick).strftime("%H:%M %:z").to_string())
                .collect()
        };
        assert_eq!(ticks(0, "daily"), ["03:00 +02:00"]);
        assert_eq!(ticks(1, "daily"), ["02:15 +02:00"]);
        assert_eq!(ticks(0, "local-hourly"), ["01:00 +01:00", "03:00 +02:00", "04:00 +02:00"]);
        assert_eq!(ticks(1, "local-hourly"), ["02:00 +02:00", "02:00 +01:00", "03:00 +01:00"]);
    }
}
