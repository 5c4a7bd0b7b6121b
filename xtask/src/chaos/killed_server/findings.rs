//! The figures of F12 and F13.

use std::fmt;
use std::time::Duration;

use crate::chaos::times::Times;
use crate::chaos::verdict::{Figures, Verdict, some};
use crate::chaos::web::{Answers, Invoices};

/// Far beyond the three seconds that are aimed at: a loaded machine makes no run red.
const RECOVERS_WITHIN: Duration = Duration::from_secs(10);

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) kills: usize,
    pub(super) kills_mid_issue: usize,
    /// From the moment when the server took connections again until a request was carried out.
    pub(super) recoveries: Times,
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
        let strange = self.answers.failures_other_than(503, &["server/unavailable"]);
        verdict.promise(strange.is_empty(), || {
            format!("failures that do not tell a client what to do: {}", some(&strange))
        });
        let unanswered = self.answers.unanswered;
        verdict.promise(unanswered == 0, || format!("{unanswered} requests without an answer"));
        verdict.expect(self.answers.failed() >= self.kills, || {
            format!("only {} requests noticed anything", self.answers.failed())
        });
        verdict.expect(self.recoveries.max() <= RECOVERS_WITHIN, || {
            format!("it took {:?} until a request was carried out again", self.recoveries.max())
        });
        verdict.expect(self.kills_mid_issue * 2 >= self.kills, || {
            format!("only {} kills while an invoice was being issued", self.kills_mid_issue)
        });
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills ({} while issuing), {}, {} requests put off, recovered {} after the server was ready, seed {}, \
             {:.0} s: {}",
            self.kills,
            self.kills_mid_issue,
            self.invoices,
            self.answers.failed(),
            self.recoveries,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
