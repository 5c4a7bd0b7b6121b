//! F5: workers stand still for longer than their leases, and go on as if nothing had happened: others have their jobs by then,
//! and what they still commit is refused.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::database::Server;
use crate::failure::Outcome;

use super::effects::Effects;
use super::patience::{until, until_or_not};
use super::programs::Programs;
use super::site::{Site, end_all, millis, milliseconds_since_1970};
use super::verdict::{Figures, Verdict};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How often a stopped process loses its jobs to others.
    zombies: usize,
    lease: Duration,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { zombies: 200, lease: Duration::from_millis(500) };
/// For every change, with the shortest lease that there is.
pub(super) const SLICE: Plan = Plan { zombies: 10, lease: Duration::from_millis(300) };
/// Enough for a worker to commit what is no longer its own.
const SABOTAGED_ZOMBIES: usize = 2;

/// So many are stopped at once, and one goes on.
const STOPPED: usize = 3;
/// All workers are busy with them, the one that goes on too.
const JOBS_PER_ROUND: usize = 16;
/// Long enough to be stopped in their middle: most of it is no transaction, which on a file nobody else could begin one beside.
const JOB: Duration = Duration::from_millis(150);
const BUSY_WITHIN: Duration = Duration::from_secs(10);
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(4);
const WAKES_WITHIN: Duration = Duration::from_secs(20);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    mut plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    if sabotage.is_some() {
        plan.zombies = SABOTAGED_ZOMBIES;
    }
    let mut site = Site::set("F5", programs, server, sabotage, seed)?;
    let played = play(&mut site, plan);
    site.end_with(played)
}

fn play(site: &mut Site, plan: Plan) -> Outcome<Findings> {
    // They look often, so that all have jobs before some have done them all.
    let options = ["--lease-ms", &millis(plan.lease), "--poll-ms", "40"];
    let mut workers = (0..=STOPPED).map(|_| site.start(&options)).collect::<Outcome<Vec<Victim>>>()?;
    let (mut zombies, mut rounds) = (0, 0);
    // A process that was stopped inside a transaction keeps a file from everybody, so that nobody can take over.
    while zombies < plan.zombies && rounds < plan.zombies {
        rounds += 1;
        site.enqueue("ignore", JOBS_PER_ROUND, &["--millis", &millis(JOB)])?;
        zombies += stop_some(site, &mut workers, plan)?;
        until(WAKES_WITHIN, "all jobs to be done", || {
            workers.iter_mut().try_for_each(Victim::must_run).map_err(|failure| site.see_log(&failure))?;
            Ok((site.journal.read()?.left() == 0).then_some(()))
        })?;
        // Others are stopped in the next round.
        workers.rotate_left(1);
    }
    end_all(&mut workers)?;
    Findings::gather(site, plan, zombies)
}

/// Stops all workers but the last in the middle of their jobs, for twice their lease and until others have begun these jobs;
/// returns how many of them lost a job.
fn stop_some(site: &mut Site, workers: &mut [Victim], plan: Plan) -> Outcome<usize> {
    let (stopped, _) = workers.split_at_mut(STOPPED);
    let all_busy = until_or_not(BUSY_WITHIN, || {
        let story = site.journal.read()?;
        let busy = stopped.iter().all(|victim| !story.open_in(victim.id()).is_empty());
        Ok((busy || story.left() == 0).then_some(busy))
    })?;
    if all_busy != Some(true) {
        return Ok(0);
    }
    for victim in stopped.iter() {
        victim.stop()?;
    }
    let (from, story) = (milliseconds_since_1970()?, site.journal.read()?);
    let begins = story.begins.len();
    let held: Vec<(u32, Vec<String>)> =
        stopped.iter().map(|victim| (victim.id(), story.open_in(victim.id()))).collect();
    let twice = u64::try_from((plan.lease * 2).as_millis()).unwrap_or(u64::MAX);
    let mut lost = 0;
    // One that was stopped just before its "end", after its commit, loses nothing.
    until_or_not(TAKEN_OVER_WITHIN, || {
        let (now, story) = (milliseconds_since_1970()?, site.journal.read()?);
        let taken = |(process, jobs): &&(u32, Vec<String>)| {
            jobs.iter().any(|job| story.is_taken_over(job, *process, begins))
        };
        lost = held.iter().filter(taken).count();
        Ok((lost == STOPPED && now >= from + twice).then_some(()))
    })?;
    for victim in stopped.iter() {
        victim.go_on()?;
    }
    until(WAKES_WITHIN, "a continued worker to end what it held", || {
        let story = site.journal.read()?;
        let open = |(process, jobs): &(u32, Vec<String>)| {
            let open: BTreeSet<String> = story.open_in(*process).into_iter().collect();
            jobs.iter().any(|job| open.contains(job))
        };
        Ok((!held.iter().any(open)).then_some(()))
    })?;
    Ok(lost)
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    plan: Plan,
    zombies: usize,
    refused: usize,
    lease_lost: usize,
    effects: Effects,
    seed: u64,
    seconds: f32,
}

impl Findings {
    fn gather(site: &mut Site, plan: Plan, zombies: usize) -> Outcome<Self> {
        let effects = Effects::gather(site)?;
        let story = site.journal.read()?;
        let (refused, lease_lost) = (story.refused, story.count("dolmen_jobs_lease_lost"));
        let (seed, seconds) = (site.seed, site.started.elapsed().as_secs_f32());
        Ok(Self { plan, zombies, refused, lease_lost, effects, seed, seconds })
    }
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.effects.judge(&mut verdict);
        verdict.promise(self.lease_lost >= self.zombies, || {
            format!("only {} leases were counted as lost", self.lease_lost)
        });
        verdict.expect(self.zombies >= self.plan.zombies, || {
            format!("{} stopped workers should have lost a job", self.plan.zombies)
        });
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} zombies after {} ms each, {} commits refused, {} leases counted as lost, {}, seed {}, {:.0} s: {}",
            self.zombies,
            self.plan.lease.as_millis() * 2,
            self.refused,
            self.lease_lost,
            self.effects,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
