//! The figures of F4.

use std::collections::BTreeSet;
use std::fmt;

use crate::chaos::verdict::{Verdict, some};

/// The figures of a run.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// The marks of a migration that nobody killed.
    pub(super) clean: String,
    pub(super) kills: usize,
    /// Migrations that had ended before they could be killed.
    pub(super) too_late: usize,
    /// How many marks there were after a kill.
    pub(super) points: BTreeSet<usize>,
    /// How often the second run came to the same end.
    pub(super) converged: usize,
    /// What else it came to.
    pub(super) wrong: Vec<String>,
    pub(super) seed: u64,
    pub(super) seconds: f32,
}

impl Findings {
    /// What makes the run red.
    pub(super) fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        verdict.promise(self.wrong.is_empty(), || {
            format!("came to another end than without a kill: {}", some(&self.wrong))
        });
        verdict.expect(self.points.len() > 1, || "all kills came at the same point".to_owned());
        verdict.expect(!self.clean.is_empty(), || "no migration left a mark".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} kills of migrate ({} too late), {} different points of {}, {} came to the same end, {} did not, seed {}, \
             {:.0} s: {}",
            self.kills,
            self.too_late,
            self.points.len(),
            self.clean.lines().count() + 1,
            self.converged,
            self.wrong.len(),
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
