//! F3: schedulers are killed around the ticks of schedules, while others run or none: each tick is published once, or passed over as
//! its schedule says.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::database::Server;
use crate::failure::Outcome;

use super::dice::Dice;
use super::patience::{pause, until};
use super::programs::Programs;
use super::site::{Site, end_all, milliseconds_since_1970};
use super::ticks::Ticks;
use super::verdict::{Figures, Verdict, some};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    kills: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { kills: 500 };
/// For every change.
pub(super) const SLICE: Plan = Plan { kills: 15 };
/// A few ticks show whether each is published once.
const SABOTAGED: Plan = Plan { kills: 4 };

/// Several at once: of each tick only one may make a job.
const SCHEDULERS: usize = 5;
/// Each third time all of them are killed, and nobody is there for a while; else one of them lives.
const ALL_AFTER: usize = 3;
const NOBODY_FOR: Duration = Duration::from_millis(1_500);
/// Of ten kills, so many come in the moment of a tick; the others anywhere between two.
const AIMED_OF_TEN: usize = 8;
const BEFORE: u64 = 20;
const MOMENT: Duration = Duration::from_millis(80);
const PUBLISHED_WITHIN: Duration = Duration::from_secs(20);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let plan = if sabotage.is_some() { SABOTAGED } else { plan };
    let mut site = Site::set("F3", programs, server, sabotage, seed)?;
    let played = play(&mut site, plan, seed);
    site.end_with(played)
}

fn play(site: &mut Site, plan: Plan, seed: u64) -> Outcome<Findings> {
    let start = || site.start(&["--roles", "scheduler", "--backfill"]);
    let mut schedulers = (0..SCHEDULERS).map(|_| start()).collect::<Outcome<Vec<Victim>>>()?;
    until_published(site, 0)?;
    let (mut dice, mut rounds, mut kills, mut outages) = (Dice::new(seed), 0, 0, Vec::new());
    while kills < plan.kills {
        rounds += 1;
        let all = rounds % ALL_AFTER == 0;
        until_moment(&mut dice)?;
        let killed = if all { SCHEDULERS } else { SCHEDULERS - 1 };
        for scheduler in schedulers.iter_mut().take(killed) {
            scheduler.kill()?;
        }
        kills += killed;
        let from = milliseconds_since_1970()?;
        if all {
            pause(dice.time_below(NOBODY_FOR));
        }
        let to = milliseconds_since_1970()?;
        for scheduler in schedulers.iter_mut().take(killed) {
            *scheduler = start()?;
        }
        if all {
            outages.push((from / 1_000, to / 1_000));
            until_published(site, to / 1_000)?;
        }
        schedulers.rotate_left(1);
    }
    until_published(site, milliseconds_since_1970()? / 1_000)?;
    end_all(&mut schedulers)?;
    let ticks = Ticks::gather(site)?;
    let (seed, seconds) = (site.seed, site.started.elapsed().as_secs_f32());
    Ok(Findings { kills, outages, ticks, seed, seconds })
}

/// Waits for a moment around the next tick: each second has one.
fn until_moment(dice: &mut Dice) -> Outcome<()> {
    let to_tick = 1_000 - milliseconds_since_1970()? % 1_000;
    if dice.below(10) < AIMED_OF_TEN {
        pause(Duration::from_millis(to_tick.saturating_sub(BEFORE)) + dice.time_below(MOMENT));
    } else {
        pause(dice.time_below(Duration::from_secs(1)));
    }
    Ok(())
}

/// Waits until a tick after this second is published.
fn until_published(site: &Site, second: u64) -> Outcome<()> {
    until(PUBLISHED_WITHIN, "a tick to be published", || {
        pause(Duration::from_millis(50));
        let last = site.ask(&["last-tick", "chaos.all"])?.trim().parse::<u64>().unwrap_or(0);
        Ok((last > second.max(1)).then_some(()))
    })
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    kills: usize,
    /// When nobody was there, in seconds since 1970.
    outages: Vec<(u64, u64)>,
    ticks: BTreeMap<String, Ticks>,
    seed: u64,
    seconds: f32,
}

impl Findings {
    /// The ticks that should be there and are not: all of a schedule that catches up with all; of one that catches up with the
    /// latest those that came while somebody was there.
    fn missing(&self, schedule: &str, ticks: &Ticks) -> Vec<String> {
        let passed_over = |tick: i64| {
            let next = ticks.jobs.range(tick..).next().map_or(i64::MAX, |(next, _)| *next);
            let in_outage = |(from, to): &(u64, u64)| {
                let (from, to) = (i64::try_from(*from).unwrap_or(0), i64::try_from(*to).unwrap_or(0));
                // Who is there again publishes the latest tick, which may be one after `to`.
                from <= tick && to <= next
            };
            schedule == "latest" && self.outages.iter().any(in_outage)
        };
        let missing = ticks.missing().into_iter().filter(|tick| !passed_over(*tick));
        missing.map(|tick| format!("{schedule} {tick}")).collect()
    }

    fn of_every_second(&self) -> impl Iterator<Item = (&String, &Ticks)> {
        self.ticks.iter().filter(|(schedule, _)| schedule.as_str() != "hourly")
    }
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        let missing: Vec<String> =
            self.of_every_second().flat_map(|(name, ticks)| self.missing(name, ticks)).collect();
        let of_all =
            |of: fn(&Ticks) -> Vec<String>| -> Vec<String> { self.ticks.values().flat_map(of).collect() };
        let (doubled, torn) = (of_all(Ticks::doubled), of_all(Ticks::torn));
        verdict.promise(missing.is_empty(), || format!("missing ticks: {}", some(&missing)));
        verdict.promise(doubled.is_empty(), || format!("ticks with more than one job: {}", some(&doubled)));
        verdict.promise(torn.is_empty(), || format!("ticks recorded without job, or not: {}", some(&torn)));
        verdict.expect(self.of_every_second().count() == 2, || "a schedule published nothing".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let jobs = |name: &str| self.ticks.get(name).map_or(0, |ticks| ticks.jobs.values().sum::<usize>());
        let missing = |name: &str| self.ticks.get(name).map_or(0, |ticks| ticks.missing().len());
        write!(
            f,
            "{} kills of {SCHEDULERS} schedulers, {} times all of them, {} ticks published of the schedule that catches up with \
             all ({} missing), {} of the one that catches up with the latest ({} passed over), seed {}, {:.0} s: {}",
            self.kills,
            self.outages.len(),
            jobs("all"),
            missing("all"),
            jobs("latest"),
            missing("latest"),
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
