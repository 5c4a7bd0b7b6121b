//! F1: workers are killed, and stopped until others have taken over; each job's effect must be there exactly once.

mod findings;
mod scene;

use std::time::Duration;

use crate::database::Server;
use crate::failure::Outcome;

use super::dice::Dice;
use super::patience::{pause, until_or_not};
use super::programs::Programs;
use super::site::milliseconds_since_1970;
use super::verdict::Verdict;

use self::findings::Findings;
use self::scene::Scene;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) kills: usize,
    /// How many of the kills, at least, must hit a process in the middle of a job.
    pub(super) kills_mid_job: usize,
    /// How often a process is stopped until another has taken over its job, and then continued.
    pub(super) zombies: usize,
}

impl Plan {
    /// Jobs come little by little, so that no kill finds an empty queue.
    const JOBS_PER_KILL: usize = 36;
    const JOBS_PER_ZOMBIE: usize = 40;
}

/// What the fault promises in full, during 38,000 jobs.
pub(super) const FULL: Plan = Plan { kills: 1_000, kills_mid_job: 600, zombies: 50 };
/// For every change: about 500 jobs.
pub(super) const SLICE: Plan = Plan { kills: 12, kills_mid_job: 7, zombies: 2 };

/// Short, so that the jobs of a killed process do not wait for the 30 seconds of the default.
pub(super) const LEASE: Duration = Duration::from_secs(1);
/// The longest that a job may wait from the death of its process until it runs again, beyond the lease.
const RESTART_WITHIN: Duration = Duration::from_secs(5);

const WORKERS: usize = 2;
/// Of ten kills, so many are aimed at the middle of a job; the others come whenever they come.
const AIMED_OF_TEN: usize = 9;
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(5);
/// How often it is tried to stop a process outside of a transaction.
const ZOMBIE_TRIES: usize = 4;
const WAKES_WITHIN: Duration = Duration::from_secs(10);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let mut scene = Scene::set(programs, server, sabotage, seed)?;
    let played = play(&mut scene, plan, seed);
    scene.site.end_with(played)
}

fn play(scene: &mut Scene, plan: Plan, seed: u64) -> Outcome<Findings> {
    let mut dice = Dice::new(seed);
    for index in 0..plan.kills {
        scene.enqueue(Plan::JOBS_PER_KILL)?;
        kill_one(scene, &mut dice)?;
        if index * plan.zombies / plan.kills != (index + 1) * plan.zombies / plan.kills {
            make_zombie(scene, &mut dice)?;
        }
    }
    scene.until_done()?;
    scene.end_workers()?;
    Findings::gather(scene, plan)
}

fn kill_one(scene: &mut Scene, dice: &mut Dice) -> Outcome<()> {
    let mut index = dice.below(WORKERS);
    if dice.below(10) < AIMED_OF_TEN {
        scene.until_left(Plan::JOBS_PER_KILL - dice.below(Plan::JOBS_PER_KILL / 2))?;
        index = scene.until_mid_job(index)?;
        pause(dice.time_below(Duration::from_millis(5)));
    } else {
        pause(dice.time_below(Duration::from_millis(500)));
    }
    scene.kill(index)
}

/// Stops a worker in the middle of a job until another has taken the job over. A process that was stopped inside a
/// transaction keeps a file database from everybody, so that nobody can take over; then it is tried again.
fn make_zombie(scene: &mut Scene, dice: &mut Dice) -> Outcome<()> {
    // What the kills interrupted starts again first: how long that takes is measured.
    scene.until_done()?;
    for _ in 0..ZOMBIE_TRIES {
        scene.enqueue(Plan::JOBS_PER_ZOMBIE)?;
        if stop_for_a_while(scene, dice.below(WORKERS))? {
            scene.zombies += 1;
            break;
        }
    }
    Ok(())
}

/// Stops a worker until its lease has run out and another has begun its job, then continues it: it still believes that
/// the job is its own. `false` when nobody took over.
fn stop_for_a_while(scene: &mut Scene, preferred: usize) -> Outcome<bool> {
    let index = scene.until_mid_job(preferred)?;
    let process = scene.worker(index)?.id();
    let stopped = milliseconds_since_1970()?;
    scene.worker(index)?.stop()?;
    let story = scene.site.journal.read()?;
    let (held, begins) = (story.open_in(process), story.begins.len());
    let taken_over = until_or_not(TAKEN_OVER_WITHIN, || {
        let story = scene.site.journal.read()?;
        Ok(held.iter().any(|job| story.is_taken_over(job, process, begins)).then_some(()))
    })?;
    scene.worker(index)?.go_on()?;
    scene.stops.push((stopped, milliseconds_since_1970()?));
    until_or_not(WAKES_WITHIN, || {
        let open = scene.site.journal.read()?.open_in(process);
        Ok((!held.iter().any(|job| open.contains(job))).then_some(()))
    })?;
    Ok(taken_over.is_some())
}
