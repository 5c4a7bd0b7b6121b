//! F29: nothing wakes the workers: other processes enqueue jobs, and polling finds them.

use std::fmt;
use std::time::Duration;

use crate::database::Server;
use crate::failure::Outcome;

use super::dice::Dice;
use super::effects::Effects;
use super::patience::{pause, until, until_or_not};
use super::programs::Programs;
use super::site::{Site, end_all, millis};
use super::times::Times;
use super::verdict::{Figures, Verdict};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    batches: usize,
    /// How many jobs one transaction enqueues.
    jobs: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { batches: 200, jobs: 100 };
/// For every change.
pub(super) const SLICE: Plan = Plan { batches: 10, jobs: 20 };
/// Jobs that are not found are not found.
const SABOTAGED: Plan = Plan { batches: 1, jobs: 20 };

/// How often workers look, whatever they found before. They do not listen to what other processes tell; what becomes of a
/// connection that listens, and of floods, the cases `hints` of the adapter's suite show.
const POLL: Duration = Duration::from_secs(1);
const WORKERS: usize = 2;
/// Without one, a job is not found, and no run waits for that.
const NOT_FOUND: Duration = Duration::from_secs(3);
const BEGUN_WITHIN: Duration = Duration::from_secs(20);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let plan = if sabotage.is_some() { SABOTAGED } else { plan };
    let mut site = Site::set("F29", programs, server, sabotage, seed)?;
    let played = play(&mut site, plan, seed);
    site.end_with(played)
}

fn play(site: &mut Site, plan: Plan, seed: u64) -> Outcome<Findings> {
    let poll = millis(POLL);
    let options = ["--deaf", "--poll-ms", &poll, "--least-poll-ms", &poll, "--concurrency", "128"];
    // What a worker finds when it starts tells that it has started.
    let mut workers = Vec::new();
    for index in 0..WORKERS {
        site.enqueue("heed", 1, &[])?;
        workers.push(site.start(&options)?);
        until(BEGUN_WITHIN, "a worker to start", || {
            Ok((site.journal.read()?.begins.len() > index).then_some(()))
        })?;
    }
    let (mut dice, started) = (Dice::new(seed), site.journal.read()?.begins.len());
    for _ in 0..plan.batches {
        // Anywhere between two looks.
        pause(dice.time_below(POLL / 4));
        site.enqueue("heed", plan.jobs, &[])?;
        until_or_not(NOT_FOUND, || {
            workers.iter_mut().try_for_each(Victim::must_run).map_err(|failure| site.see_log(&failure))?;
            Ok((site.journal.read()?.left() == 0).then_some(()))
        })?;
    }
    let story = site.journal.read()?;
    let mut found = Times::default();
    for begin in story.begins.iter().skip(started) {
        let enqueued = story.enqueued_at.get(&begin.job).copied().unwrap_or_default();
        // A job may begin between its commit and the note of it.
        found.push(Duration::from_millis(begin.at.saturating_sub(enqueued)));
    }
    let effects = Effects::gather(site)?;
    end_all(&mut workers)?;
    let (seed, seconds) = (site.seed, site.started.elapsed().as_secs_f32());
    Ok(Findings { plan, found, effects, seed, seconds })
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    plan: Plan,
    /// From the commit of a job to its first attempt.
    found: Times,
    effects: Effects,
    seed: u64,
    seconds: f32,
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.effects.judge(&mut verdict);
        let p99 = self.found.percent(99);
        verdict.promise(p99 <= POLL, || format!("jobs waited {} ms", p99.as_millis()));
        let jobs = self.plan.batches * self.plan.jobs;
        verdict
            .promise(self.found.len() >= jobs, || format!("{} of {jobs} jobs were found", self.found.len()));
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} times {} jobs of another process, found after {} with a look every {} ms, {}, seed {}, {:.0} s: {}",
            self.plan.batches,
            self.plan.jobs,
            self.found,
            POLL.as_millis(),
            self.effects,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
