//! The figures of F25.

use std::fmt;
use std::time::Duration;

use crate::chaos::times::Times;
use crate::chaos::verdict::{Figures, Verdict, some};
use crate::chaos::web::{Answers, Invoices};

use super::objects::Found;

/// Far beyond the five seconds that are aimed at: a loaded machine makes no run red.
const RECOVERS_WITHIN: Duration = Duration::from_secs(20);
const STORAGE_FULL: &str = "server/storage-full";

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) cycles: usize,
    pub(super) recoveries: Times,
    pub(super) restarts: usize,
    pub(super) objects: Found,
    pub(super) answers: Answers,
    pub(super) invoices: Invoices,
    pub(super) seed: u64,
    pub(super) seconds: f32,
}

impl Figures for Findings {
    /// What makes the run red.
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.invoices.judge(&mut verdict);
        // A server whose own journal finds no room ends.
        let strange = self.answers.failures_other_than(503, &[STORAGE_FULL, "server/unavailable"]);
        verdict.promise(strange.is_empty(), || {
            format!("failures that do not tell a client what to do: {}", some(&strange))
        });
        let unanswered = self.answers.unanswered;
        verdict.promise(unanswered == 0, || format!("{unanswered} requests without an answer"));
        let Found { torn, lost, failed, .. } = &self.objects;
        verdict.promise(torn.is_empty(), || format!("torn objects: {}", some(torn)));
        verdict.promise(lost.is_empty(), || format!("objects that were acknowledged: {}", some(lost)));
        verdict.promise(*failed == 0, || format!("{failed} objects failed otherwise than for want of room"));
        verdict.expect(self.answers.count_of(STORAGE_FULL) > 0, || {
            format!("no request was answered with {STORAGE_FULL}")
        });
        verdict.expect(self.recoveries.len() == self.cycles, || "cycles are missing".to_owned());
        verdict.expect(self.recoveries.max() <= RECOVERS_WITHIN, || {
            format!("it took {:?} until a request was carried out again", self.recoveries.max())
        });
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Found { stored, full, read, torn, lost, .. } = &self.objects;
        write!(
            f,
            "{} times full, {}, {} requests put off ({} with {STORAGE_FULL}), {stored} objects stored and {full} not, {read} \
             read, {} torn, {} lost, {} restarts of the server, recovered {} after there was room, seed {}, {:.0} s: {}",
            self.cycles,
            self.invoices,
            self.answers.failed(),
            self.answers.count_of(STORAGE_FULL),
            torn.len(),
            lost.len(),
            self.restarts,
            self.recoveries,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
