//! F11: handlers block the threads of the runtime for longer than their lease: the lease holds, since the heartbeat has a thread
//! of its own, and somebody is told of the handler.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::database::Server;
use crate::failure::Outcome;

use super::effects::Effects;
use super::journal::Story;
use super::patience::until;
use super::programs::Programs;
use super::site::{Site, end_all, millis};
use super::times::Times;
use super::verdict::{Figures, Verdict};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How many jobs let their thread sleep.
    sleeping: usize,
    /// How many keep it busy, one after the other: a machine has few processors, and heartbeats need some of it.
    busy: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { sleeping: 160, busy: 40 };
/// For every change.
pub(super) const SLICE: Plan = Plan { sleeping: 9, busy: 1 };

const WORKERS: usize = 4;
const LEASE: Duration = Duration::from_secs(1);
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// For one job, if it had to wait for all others.
const DONE_WITHIN: Duration = Duration::from_secs(10);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let mut site = Site::set("F11", programs, server, sabotage, seed)?;
    let played = play(&mut site, plan);
    site.end_with(played)
}

fn play(site: &mut Site, plan: Plan) -> Outcome<Findings> {
    let lease = millis(LEASE);
    let start = |queues: &str, concurrency: &str| {
        site.start(&["--lease-ms", &lease, "--queues", queues, "--concurrency", concurrency])
    };
    let mut workers = (0..WORKERS).map(|_| start("default", "4")).collect::<Outcome<Vec<Victim>>>()?;
    workers.push(start("busy", "1")?);
    let twice = millis(LEASE * 2);
    site.enqueue("block", plan.sleeping, &["--millis", &twice])?;
    site.enqueue("spin", plan.busy, &["--millis", &twice, "--queue", "busy"])?;
    let jobs = u32::try_from(plan.sleeping + plan.busy).unwrap_or(u32::MAX);
    until(DONE_WITHIN.saturating_mul(jobs), "all jobs to be done", || {
        workers.iter_mut().try_for_each(Victim::must_run).map_err(|failure| site.see_log(&failure))?;
        let story = site.journal.read()?;
        // A lease that ran out says enough: without a heartbeat no job ever ends.
        Ok((story.left() == 0 || ran_out(story) > 0).then_some(()))
    })?;
    if site.journal.read()?.left() == 0 {
        end_all(&mut workers)?;
    }
    let effects = Effects::gather(site)?;
    let story = site.journal.read()?;
    let (told, silent) = warnings(story);
    let (begins, failed, ran_out) = (story.begins.len(), story.failed, ran_out(story));
    let (seed, seconds) = (site.seed, site.started.elapsed().as_secs_f32());
    Ok(Findings { begins, told, silent, failed, ran_out, effects, seed, seconds })
}

/// How many attempts followed one whose lease ran out. One that fails is followed by another too: who finds a transaction only
/// after his threads were blocked may have waited too long for it.
fn ran_out(story: &Story) -> usize {
    story.begins.len().saturating_sub(story.enqueued.len() + story.failed)
}

/// How long after the beginning of an attempt somebody was told that it blocks; and how many attempts nobody was told of.
fn warnings(story: &Story) -> (Times, usize) {
    let mut stalls: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    let of_kind = |label: &str| label == "chaos.do_task";
    let stalled = story.counts.iter().filter(|count| count.counter == "dolmen_jobs_stalled");
    for count in stalled.filter(|count| of_kind(&count.label)) {
        stalls.entry(count.process).or_default().push(count.at);
    }
    let (mut told, mut silent) = (Times::default(), 0);
    for begin in &story.begins {
        let of_process = stalls.entry(begin.process).or_default();
        match of_process.iter().position(|at| *at >= begin.at) {
            Some(index) => told.push(Duration::from_millis(of_process.remove(index) - begin.at)),
            None => silent += 1,
        }
    }
    (told, silent)
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    begins: usize,
    told: Times,
    silent: usize,
    failed: usize,
    ran_out: usize,
    effects: Effects,
    seed: u64,
    seconds: f32,
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.effects.judge(&mut verdict);
        verdict.promise(self.ran_out == 0, || format!("{} leases ran out", self.ran_out));
        verdict
            .promise(self.silent == 0, || format!("{} attempts blocked, and nobody was told", self.silent));
        let told = self.told.max();
        verdict.promise(told <= TOLD_WITHIN, || format!("it took {} ms to tell", told.as_millis()));
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} attempts that blocked for twice their lease of {} s, told of after {}, {} of them untold, {} failed, \
             {} leases ran out, {}, seed {}, {:.0} s: {}",
            self.begins,
            LEASE.as_secs(),
            self.told,
            self.silent,
            self.failed,
            self.ran_out,
            self.effects,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
