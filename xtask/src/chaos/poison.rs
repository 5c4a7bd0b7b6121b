//! F9: jobs that end their process each time that they run: they are dead soon, and the other jobs are done.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use crate::database::Server;
use crate::failure::{Failure, Outcome};

use super::effects::Effects;
use super::patience::{pause, until_or_not};
use super::programs::Programs;
use super::site::{Site, end_all};
use super::verdict::{Figures, Verdict, some};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// How many jobs abort.
    poison: usize,
    /// How many others come before each of them.
    others: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { poison: 100, others: 20 };
/// For every change.
pub(super) const SLICE: Plan = Plan { poison: 5, others: 20 };

/// How many deaths of its process a poison job has.
const DEATHS: usize = 3;
const WORKERS: usize = 2;
/// What runs in the same process when it dies has that death counted too, but nothing is buried for it: a job that one more
/// death would bury runs alone (`JQ-8`).
const PLACES: &str = "4";
/// The shortest, since each death costs one.
const LEASE_MS: &str = "300";
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// For one poison job and those around it.
const DONE_WITHIN: Duration = Duration::from_secs(6);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let mut site = Site::set("F9", programs, server, sabotage, seed)?;
    let played = play(&mut site, plan);
    site.end_with(played)
}

fn play(site: &mut Site, plan: Plan) -> Outcome<Findings> {
    let mut poison = BTreeSet::new();
    for _ in 0..plan.poison {
        site.enqueue("heed", plan.others, &[])?;
        let before = site.journal.read()?.enqueued.clone();
        site.enqueue("abort", 1, &[])?;
        poison.extend(site.journal.read()?.enqueued.difference(&before).cloned());
    }
    let start = |site: &Site| site.start(&["--lease-ms", LEASE_MS, "--concurrency", PLACES]);
    let mut workers = (0..WORKERS).map(|_| start(site)).collect::<Outcome<Vec<Victim>>>()?;
    let (mut deaths, mut dead) = (0, Vec::new());
    let limit = DONE_WITHIN.saturating_mul(u32::try_from(plan.poison).unwrap_or(u32::MAX));
    until_or_not(limit, || {
        pause(LOOK_EVERY);
        for worker in &mut workers {
            // Whoever runs workers starts them again.
            if worker.ended()?.is_some() {
                deaths += 1;
                *worker = start(site)?;
            }
        }
        if most_begins(site, &poison)? > DEATHS {
            return Ok(Some(()));
        }
        // Asked of the queue: a process may die between the end of a job and the note of it.
        let nothing_waits = site.jobs()?.waiting == 0;
        dead = dead_letters(site)?;
        Ok(nothing_waits.then_some(()))
    })?;
    let most_begins = most_begins(site, &poison)?;
    let effects = Effects::without(site, &poison)?;
    end_all(&mut workers).or_else(|failure| if most_begins > DEATHS { Ok(()) } else { Err(failure) })?;
    let (seed, seconds) = (site.seed, site.started.elapsed().as_secs_f32());
    Ok(Findings { poison, deaths, most_begins, dead, effects, seed, seconds })
}

/// How often the job began that began most often.
fn most_begins(site: &mut Site, poison: &BTreeSet<String>) -> Outcome<usize> {
    let story = site.journal.read()?;
    let begins = |job: &String| story.begins.iter().filter(|begin| begin.job == *job).count();
    Ok(poison.iter().map(begins).max().unwrap_or_default())
}

/// The jobs that are dead, and why.
fn dead_letters(site: &Site) -> Outcome<Vec<(String, String)>> {
    let printed = site.ask(&["dead"])?;
    let read = |line: &str| {
        let (job, reason) = line.split_once(' ').ok_or_else(|| Failure::new(format!("dead {line:?}")))?;
        Ok((job.to_owned(), reason.to_owned()))
    };
    printed.lines().map(read).collect()
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    poison: BTreeSet<String>,
    /// Of processes.
    deaths: usize,
    most_begins: usize,
    dead: Vec<(String, String)>,
    /// Of the others.
    effects: Effects,
    seed: u64,
    seconds: f32,
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.effects.judge(&mut verdict);
        verdict.promise(self.most_begins <= DEATHS, || {
            format!("a job ended its process {} times", self.most_begins)
        });
        let alive = |job: &&String| !self.dead.iter().any(|(dead, _)| dead == *job);
        let alive: Vec<String> = self.poison.iter().filter(alive).cloned().collect();
        verdict.promise(alive.is_empty(), || format!("not dead: {}", some(&alive)));
        let other = |(_, reason): &&(String, String)| !reason.starts_with("worker-crash");
        let other: Vec<String> = self.dead.iter().filter(other).map(|(_, reason)| reason.clone()).collect();
        verdict.promise(other.is_empty(), || format!("dead for another reason: {}", some(&other)));
        verdict.expect(self.deaths >= DEATHS, || format!("only {} processes died", self.deaths));
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} poison jobs, each begun at most {} times, {} deaths of processes, {} dead letters; of the others {}, \
             seed {}, {:.0} s: {}",
            self.poison.len(),
            self.most_begins,
            self.deaths,
            self.dead.len(),
            self.effects,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
