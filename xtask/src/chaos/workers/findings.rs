//! What is left after F1, held against what the journal promised.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::chaos::verdict::{Figures, Verdict, some};
use crate::failure::{Failure, Outcome};

use super::scene::Scene;
use super::{LEASE, Plan, RESTART_WITHIN};

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Findings {
    plan: Plan,
    kills: usize,
    kills_mid_job: usize,
    zombies: usize,
    refused: usize,
    asked_for: usize,
    enqueued: usize,
    effects: usize,
    /// Jobs without an effect.
    lost: Vec<String>,
    /// Jobs with more than one.
    doubled: Vec<String>,
    /// Effects of jobs that nobody enqueued.
    strange: usize,
    retried: u64,
    /// How long jobs waited between the death of their process and their next start, in milliseconds, ascending.
    restarts: Vec<u64>,
    seed: u64,
    seconds: f32,
}

impl Findings {
    pub(super) fn gather(scene: &mut Scene, plan: Plan) -> Outcome<Self> {
        let printed = scene.ask(&["effects"])?;
        let mut effects: BTreeMap<&str, usize> = BTreeMap::new();
        for line in printed.lines() {
            let (job, _) = line.split_once(' ').ok_or_else(|| Failure::new(format!("effect {line:?}")))?;
            *effects.entry(job).or_default() += 1;
        }
        let mut restarts = Vec::new();
        let story = scene.journal.read()?;
        for kill in &scene.kills {
            for job in &kill.jobs {
                let mut begins = story.begins.iter().filter(|(begun, _, at)| begun == job && *at >= kill.at);
                let Some((_, _, again)) = begins.next() else { continue };
                // A process that was stopped inside a transaction kept everybody from a file database meanwhile.
                if !scene.stops.iter().any(|(from, to)| kill.at < *to && from < again) {
                    restarts.push(again - kill.at);
                }
            }
        }
        restarts.sort_unstable();
        let enqueued: BTreeSet<&str> = story.enqueued.iter().map(String::as_str).collect();
        let of_count = |wanted: fn(usize) -> bool| {
            let count = |job: &&&str| wanted(effects.get(**job).copied().unwrap_or(0));
            enqueued.iter().filter(count).map(|job| (*job).to_owned()).collect()
        };
        Ok(Self {
            plan,
            kills: scene.kills.len(),
            kills_mid_job: scene.kills.iter().filter(|kill| !kill.jobs.is_empty()).count(),
            zombies: scene.zombies,
            refused: story.refused,
            asked_for: scene.enqueued,
            enqueued: enqueued.len(),
            effects: effects.values().sum(),
            lost: of_count(|count| count == 0),
            doubled: of_count(|count| count > 1),
            strange: effects.keys().filter(|job| !enqueued.contains(**job)).count(),
            retried: scene.retried,
            restarts,
            seed: scene.seed,
            seconds: scene.started.elapsed().as_secs_f32(),
        })
    }

    fn restart(&self, percent: usize) -> u64 {
        let index = (self.restarts.len() * percent / 100).min(self.restarts.len().saturating_sub(1));
        self.restarts.get(index).copied().unwrap_or(0)
    }
}

impl Figures for Findings {
    /// What makes the run red.
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.promise(self.lost.is_empty(), || format!("no effect: {}", some(&self.lost)));
        verdict.promise(self.doubled.is_empty(), || format!("more than one effect: {}", some(&self.doubled)));
        verdict.promise(self.strange == 0, || format!("{} effects of unknown jobs", self.strange));
        verdict.expect(self.enqueued == self.asked_for, || format!("{} jobs were asked for", self.asked_for));
        verdict.expect(self.kills_mid_job >= self.plan.kills_mid_job, || {
            format!("only {} kills in the middle of a job", self.kills_mid_job)
        });
        verdict.expect(self.zombies == self.plan.zombies, || {
            format!("only {} stopped processes lost a job to another", self.zombies)
        });
        verdict.expect(self.restarts.len() >= self.plan.kills_mid_job, || {
            format!("only {} restarts were measured", self.restarts.len())
        });
        let limit = (LEASE + RESTART_WITHIN).as_millis();
        let p99 = self.restart(99);
        verdict.expect(u128::from(p99) <= limit, || {
            format!("restart p99 {p99} ms, at most {limit} ms are promised")
        });
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills ({} mid-job), {} zombies ({} commits refused), {} jobs, {} effects, {} lost, {} doubled, \
             {} dead letters retried, restart p50 {} ms p99 {} ms with a lease of {} s, seed {}, {:.0} s: {}",
            self.kills,
            self.kills_mid_job,
            self.zombies,
            self.refused,
            self.enqueued,
            self.effects,
            self.lost.len(),
            self.doubled.len(),
            self.retried,
            self.restart(50),
            self.restart(99),
            LEASE.as_secs(),
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
