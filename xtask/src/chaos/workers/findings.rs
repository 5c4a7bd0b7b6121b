//! What is left after F1, held against what the journal promised.

use std::fmt;

use crate::chaos::effects::Effects;
use crate::chaos::verdict::{Figures, Verdict};
use crate::failure::Outcome;

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
    effects: Effects,
    retried: u64,
    /// How long jobs waited between the death of their process and their next start, in milliseconds, ascending.
    restarts: Vec<u64>,
    seed: u64,
    seconds: f32,
}

impl Findings {
    pub(super) fn gather(scene: &mut Scene, plan: Plan) -> Outcome<Self> {
        let effects = Effects::gather(&mut scene.site)?;
        let mut restarts = Vec::new();
        let story = scene.site.journal.read()?;
        for kill in &scene.kills {
            for job in &kill.jobs {
                let mut begins = story.begins.iter().filter(|begin| begin.job == *job && begin.at >= kill.at);
                let Some(again) = begins.next().map(|begin| begin.at) else { continue };
                // A process that was stopped inside a transaction kept everybody from a file database meanwhile.
                if !scene.stops.iter().any(|(from, to)| kill.at < *to && *from < again) {
                    restarts.push(again - kill.at);
                }
            }
        }
        restarts.sort_unstable();
        Ok(Self {
            plan,
            kills: scene.kills.len(),
            kills_mid_job: scene.kills.iter().filter(|kill| !kill.jobs.is_empty()).count(),
            zombies: scene.zombies,
            refused: story.refused,
            asked_for: scene.enqueued,
            effects,
            retried: scene.retried,
            restarts,
            seed: scene.site.seed,
            seconds: scene.site.started.elapsed().as_secs_f32(),
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
        self.effects.judge(&mut verdict);
        verdict.expect(self.effects.enqueued == self.asked_for, || {
            format!("{} jobs were asked for", self.asked_for)
        });
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
            "{} kills ({} mid-job), {} zombies ({} commits refused), {}, {} dead letters retried, restart p50 {} ms p99 {} ms with a lease of {} s, seed {}, {:.0} s: {}",
            self.kills,
            self.kills_mid_job,
            self.zombies,
            self.refused,
            self.effects,
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
