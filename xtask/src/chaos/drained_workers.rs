//! F6: workers are told to end while they have jobs that are shorter than the time that they get, and longer ones: the short ones
//! end, the long ones are given back uncounted, and another worker has them a moment later.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::{Duration, Instant};

use crate::database::Server;
use crate::failure::Outcome;

use super::effects::Effects;
use super::journal::Story;
use super::patience::until;
use super::programs::Programs;
use super::site::{Site, end_all, millis, milliseconds_since_1970};
use super::times::Times;
use super::verdict::{Figures, Verdict, some};
use super::victim::Victim;

/// What is done in one run.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Plan {
    /// How often a worker with a long job is told to end.
    ends: usize,
}

/// What the fault promises in full.
pub(super) const FULL: Plan = Plan { ends: 200 };
/// For every change.
pub(super) const SLICE: Plan = Plan { ends: 10 };
/// What is not given back once is not given back.
const SABOTAGED: Plan = Plan { ends: 1 };

/// So many are told to end at once.
const WORKERS: usize = 5;
/// They fill the four places of each worker.
const HEEDING: usize = 2 * WORKERS;
const IGNORING: usize = WORKERS;
const SHORT_JOBS: usize = WORKERS;
/// What the workers get to end their jobs; they may take a little longer for the rest.
const GRACE: Duration = Duration::from_millis(700);
const LONGER: Duration = Duration::from_secs(2);
/// Longer than any round takes.
const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(400);
/// Longer than what a job may wait for its next worker, so that one that was not given back shows.
const LEASE: Duration = Duration::from_secs(2);
const PICKED_UP_WITHIN: Duration = Duration::from_secs(1);
const BEGUN_WITHIN: Duration = Duration::from_secs(20);
const DONE_WITHIN: Duration = Duration::from_secs(30);

/// Runs the plan; what it found, and what is wrong with that.
pub(super) fn run(
    programs: &Programs,
    server: &Server,
    plan: Plan,
    seed: u64,
    sabotage: Option<&str>,
) -> Outcome<Verdict> {
    let plan = if sabotage.is_some() { SABOTAGED } else { plan };
    let mut site = Site::set("F6", programs, server, sabotage, seed)?;
    let played = play(&mut site, plan);
    site.end_with(played)
}

fn play(site: &mut Site, plan: Plan) -> Outcome<Findings> {
    let mut ends = Ends::default();
    let mut rounds = 0;
    // How the jobs are spread over the workers is up to them.
    while ends.with_long < plan.ends && rounds < plan.ends {
        rounds += 1;
        end_some(site, &mut ends)?;
    }
    let effects = Effects::gather(site)?;
    let burned = site.journal.read()?.begins.iter().filter(|begin| begin.attempt > 1);
    let burned = burned.map(|begin| format!("{} in its attempt {}", begin.job, begin.attempt)).collect();
    let (seed, seconds) = (site.seed, site.started.elapsed().as_secs_f32());
    Ok(Findings { plan, ends, burned, effects, seed, seconds })
}

/// What was measured at the ends of workers.
#[derive(Debug, Default)]
struct Ends {
    /// Of workers that had a long job.
    with_long: usize,
    /// From the signal to the end of the process.
    exits: Times,
    /// From there to the next attempt at each of its long jobs.
    pickups: Times,
    /// Short jobs that ran when their worker was told to end, and those of them that did not end in it.
    short: usize,
    cut_short: Vec<String>,
}

/// Fills some workers with jobs and tells them to end, while another one waits for what they leave.
fn end_some(site: &mut Site, ends: &mut Ends) -> Outcome<()> {
    let (lease, grace, short, long) = (millis(LEASE), millis(GRACE), millis(SHORT), millis(LONG));
    let settings = ["--lease-ms", &lease, "--grace-ms", &grace, "--poll-ms", "40"];
    let start = |site: &Site, more: &[&str]| site.start(&[&settings, more].concat());
    let mut victims = (0..WORKERS)
        .map(|_| start(site, &["--queues", "default,short"]))
        .collect::<Outcome<Vec<Victim>>>()?;
    site.enqueue("heed", HEEDING, &["--millis", &long])?;
    site.enqueue("ignore", IGNORING, &["--millis", &long])?;
    until_begun(site, HEEDING + IGNORING)?;
    let mut heirs =
        vec![start(site, &["--queues", "default,probe", "--concurrency", "64", "--task-ms", "5"])?];
    site.enqueue("ignore", 1, &["--queue", "probe"])?;
    until_begun(site, HEEDING + IGNORING + 1)?;
    let long: BTreeSet<String> = site.journal.read()?.enqueued.clone();
    site.enqueue("ignore", SHORT_JOBS, &["--queue", "short", "--millis", &short])?;
    until_begun(site, HEEDING + IGNORING + 1 + SHORT_JOBS)?;
    let story = site.journal.read()?;
    let held: BTreeMap<u32, Vec<String>> =
        victims.iter().map(|victim| (victim.id(), story.open_in(victim.id()))).collect();
    let exits = end_all_at_once(&mut victims, &mut ends.exits)?;
    until(DONE_WITHIN, "all jobs to be done", || {
        heirs.iter_mut().try_for_each(Victim::must_run).map_err(|failure| site.see_log(&failure))?;
        Ok((site.journal.read()?.left() == 0).then_some(()))
    })?;
    let story = site.journal.read()?;
    for (process, jobs) in &held {
        ends.with_long += usize::from(jobs.iter().any(|job| long.contains(job)));
        for job in jobs {
            let again = story.begins.iter().find(|begin| begin.job == *job && begin.process != *process);
            if !long.contains(job) {
                ends.short += 1;
                ends.cut_short.extend(again.map(|begin| begin.job.clone()));
            } else if let Some(again) = again {
                let ended = exits.get(process).copied().unwrap_or(u64::MAX);
                ends.pickups.push(Duration::from_millis(again.at.saturating_sub(ended)));
            }
        }
    }
    end_all(&mut heirs)
}

/// Waits until so many of the jobs that are not done, or were done since, have begun.
fn until_begun(site: &mut Site, count: usize) -> Outcome<()> {
    let of_round = |story: &Story| {
        let begun: BTreeSet<&String> = story.begins.iter().map(|begin| &begin.job).collect();
        story.enqueued.iter().rev().take(count).all(|job| begun.contains(job))
    };
    until(BEGUN_WITHIN, "jobs to begin", || Ok(of_round(site.journal.read()?).then_some(())))
}

/// When each ended, in milliseconds since 1970.
fn end_all_at_once(victims: &mut [Victim], exits: &mut Times) -> Outcome<BTreeMap<u32, u64>> {
    let told = Instant::now();
    for victim in victims.iter() {
        victim.tell_to_end()?;
    }
    let mut ended = BTreeMap::new();
    until(DONE_WITHIN, "workers to end", || {
        for victim in victims.iter_mut() {
            if !ended.contains_key(&victim.id()) && victim.ended()?.is_some() {
                ended.insert(victim.id(), milliseconds_since_1970()?);
                exits.push(told.elapsed());
            }
        }
        Ok((ended.len() == victims.len()).then_some(()))
    })?;
    Ok(ended)
}

/// The figures of a run.
#[derive(Debug)]
struct Findings {
    plan: Plan,
    ends: Ends,
    /// Jobs whose interrupted attempt was counted.
    burned: Vec<String>,
    effects: Effects,
    seed: u64,
    seconds: f32,
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.effects.judge(&mut verdict);
        let (ends, burned) = (&self.ends, &self.burned);
        verdict.promise(burned.is_empty(), || format!("attempts were counted: {}", some(burned)));
        verdict.promise(ends.cut_short.is_empty(), || format!("short jobs: {}", some(&ends.cut_short)));
        let (exit, pickup) = (ends.exits.max(), ends.pickups.max());
        verdict.promise(exit <= GRACE + LONGER, || format!("an end took {} ms", exit.as_millis()));
        verdict.promise(pickup <= PICKED_UP_WITHIN, || format!("a job waited {} ms", pickup.as_millis()));
        verdict.expect(ends.with_long >= self.plan.ends, || {
            format!("{} workers with long jobs should have ended", self.plan.ends)
        });
        verdict.expect(ends.short >= ends.with_long / 2, || "hardly a short job ran".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} workers ended ({} with long jobs) with a grace of {} ms, exit {}, {} short jobs under way ({} cut), \
             {} long jobs picked up {}, {} attempts burned, {}, seed {}, {:.0} s: {}",
            self.ends.exits.len(),
            self.ends.with_long,
            GRACE.as_millis(),
            self.ends.exits,
            self.ends.short,
            self.ends.cut_short.len(),
            self.ends.pickups.len(),
            self.ends.pickups,
            self.burned.len(),
            self.effects,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
