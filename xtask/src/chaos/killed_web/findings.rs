//! The figures of F2.

use std::fmt;

use crate::chaos::verdict::{Figures, Verdict};
use crate::chaos::web::Invoices;

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) kills: usize,
    pub(super) kills_mid_issue: usize,
    pub(super) invoices: Invoices,
    pub(super) seed: u64,
    pub(super) seconds: f32,
}

impl Figures for Findings {
    /// What makes the run red.
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.invoices.judge(&mut verdict);
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
            "{} kills ({} while issuing), {}, seed {}, {:.0} s: {}",
            self.kills,
            self.kills_mid_issue,
            self.invoices,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
