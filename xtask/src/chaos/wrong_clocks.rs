//! F30: the clock of one of three processes jumps, back and forth: leases and due times keep to the database's clock, and schedules
//! neither loop nor flood.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use crate::database::Server;
use crate::failure::Outcome;

use super::effects::Effects;
use super::patience::{pause, until};
use super::programs::Programs;
use super::site::{Site, end_all, millis, milliseconds_since_1970};
use super::ticks::Ticks;
use super::times::Times;
use super::verdict::{Figures, Verdict, some};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How often a clock jumps away, and back again.
    jumps: usize,
    lease: Duration,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { jumps: 60, lease: Duration::from_secs(1) };
/// For every change.
pub(super) const SLICE: Plan = Plan { jumps: 3, lease: Duration::from_millis(400) };
const SABOTAGED_JUMPS: usize = 1;

const HOUR: i64 = 3_600;
/// In seconds.
const JUMPS: [i64; 3] = [HOUR, -HOUR, -24 * HOUR];
/// A scheduler looks at its clock with each tick, so once a second.
const SEEN_AFTER: Duration = Duration::from_millis(1_200);
const PROCESSES: usize = 3;
const JOBS: usize = 6;
/// Beyond its due time, for polling and for a busy machine.
const LATE: Duration = Duration::from_millis(1_500);
const DONE_WITHIN: Duration = Duration::from_secs(30);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    mut plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    if sabotage.is_some() {
        plan.jumps = SABOTAGED_JUMPS;
    }
    let mut site = Site::set("F30", programs, server, sabotage, seed)?;
    let played = play(&mut site, plan);
    site.end_with(played)
}

/// A clock that was wrong for a while: from when to when, in seconds since 1970 by the right one.
#[derive(Debug)]
struct Wrong {
    from: i64,
    to: i64,
}

fn play(site: &mut Site, plan: Plan) -> Outcome<Findings> {
    let clocks: Vec<_> =
        (0..PROCESSES).map(|index| site.folder.path().join(format!("clock-{index}"))).collect();
    let lease = millis(plan.lease);
    let mut processes = Vec::new();
    for clock in &clocks {
        std::fs::write(clock, "0")?;
        let clock = clock.to_string_lossy();
        processes.push(site.start(&[
            "--roles",
            "worker,scheduler",
            "--lease-ms",
            &lease,
            "--clock",
            &clock,
        ])?);
    }
    let began = now()?;
    let (mut wrong, mut delayed) = (Vec::new(), BTreeSet::new());
    for (jump, clock) in JUMPS.iter().cycle().zip(clocks.iter().cycle()).take(plan.jumps) {
        // Leases are extended before the jump, after it and after the jump back; jobs get due in between.
        site.enqueue("heed", JOBS, &["--millis", &millis(SEEN_AFTER + plan.lease * 3)])?;
        let before = site.journal.read()?.enqueued.clone();
        site.enqueue("heed", JOBS, &["--in-ms", &millis(plan.lease)])?;
        delayed.extend(site.journal.read()?.enqueued.difference(&before).cloned());
        let from = now()?;
        std::fs::write(clock, jump.to_string())?;
        pause(SEEN_AFTER.max(plan.lease * 2));
        std::fs::write(clock, "0")?;
        wrong.push(Wrong { from, to: now()? });
        pause(plan.lease);
        processes.iter_mut().try_for_each(Victim::must_run).map_err(|failure| site.see_log(&failure))?;
    }
    until(DONE_WITHIN, "all jobs to be done", || Ok((site.journal.read()?.left() == 0).then_some(())))?;
    end_all(&mut processes)?;
    let ended = now()?;
    let ticks = Ticks::gather(site)?;
    let effects = Effects::gather(site)?;
    let story = site.journal.read()?;
    let (mut late, mut early) = (Times::default(), 0);
    for begin in story.begins.iter().filter(|begin| delayed.contains(&begin.job)) {
        let enqueued = story.enqueued_at.get(&begin.job).copied().unwrap_or_default();
        let waited = Duration::from_millis(begin.at.saturating_sub(enqueued));
        // The journal notes a job after its commit, which counts from before.
        early += usize::from(waited + plan.lease / 2 < plan.lease);
        late.push(waited.saturating_sub(plan.lease));
    }
    let (begins, lost) = (story.begins.len(), story.refused + story.count("dolmen_jobs_lease_lost"));
    let (seed, seconds) = (site.seed, site.started.elapsed().as_secs_f32());
    Ok(Findings { began, ended, wrong, ticks, begins, lost, late, early, effects, seed, seconds })
}

fn now() -> Outcome<i64> {
    Ok(i64::try_from(milliseconds_since_1970()? / 1_000).unwrap_or(i64::MAX))
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    began: i64,
    ended: i64,
    wrong: Vec<Wrong>,
    ticks: BTreeMap<String, Ticks>,
    begins: usize,
    /// Leases.
    lost: usize,
    /// How long after they were due jobs began.
    late: Times,
    early: usize,
    effects: Effects,
    seed: u64,
    seconds: f32,
}

impl Findings {
    /// How many ticks came by a wrong clock.
    fn wrong_ticks(&self, schedule: &str) -> usize {
        let wrong = |tick: &&i64| **tick < self.began || **tick > self.ended;
        self.ticks.get(schedule).map_or(0, |ticks| ticks.jobs.keys().filter(wrong).count())
    }

    /// How many may come of a schedule: one that catches up for each jump away and each back, and those whose time came by the
    /// wrong clock.
    fn allowed(&self, every: i64) -> usize {
        let came = |wrong: &Wrong| usize::try_from((wrong.to - wrong.from + 1) / every).unwrap_or(0);
        self.wrong.iter().map(|wrong| 2 + came(wrong)).sum()
    }
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.effects.judge(&mut verdict);
        verdict.promise(self.lost == 0 && self.begins == self.effects.enqueued, || {
            format!("{} leases lost, {} attempts at {} jobs", self.lost, self.begins, self.effects.enqueued)
        });
        verdict.promise(self.early == 0, || format!("{} jobs began before they were due", self.early));
        let late = self.late.max();
        verdict.promise(late <= LATE, || format!("a job began {} ms after it was due", late.as_millis()));
        let doubled: Vec<String> = self.ticks.values().flat_map(Ticks::doubled).collect();
        verdict.promise(doubled.is_empty(), || format!("ticks with more than one job: {}", some(&doubled)));
        for (schedule, every) in [("latest", 1), ("hourly", HOUR)] {
            let (ticks, allowed) = (self.wrong_ticks(schedule), self.allowed(every));
            verdict.promise(ticks <= allowed, || {
                format!(
                    "{ticks} ticks of the schedule {schedule} by wrong clocks, at most {allowed} are promised"
                )
            });
        }
        verdict.expect(self.wrong_ticks("latest") > 0, || "no clock was wrong".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = |name: &str| self.ticks.get(name).map_or(0, |ticks| ticks.jobs.values().sum::<usize>());
        write!(
            f,
            "{} jumps of a clock and back, {} leases lost, jobs begun after they were due {}, {} before, {} ticks of every second \
             ({} by wrong clocks), {} of every hour, {}, seed {}, {:.0} s: {}",
            self.wrong.len(),
            self.lost,
            self.late,
            self.early,
            all("latest"),
            self.wrong_ticks("latest"),
            all("hourly"),
            self.effects,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
