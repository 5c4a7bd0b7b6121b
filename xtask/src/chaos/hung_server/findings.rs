//! The figures of F14.

use std::fmt;
use std::time::Duration;

use crate::chaos::verdict::{Figures, Verdict, some};
use crate::chaos::web::{Answers, Invoices};

use super::{DEADLINE, Plan, Probes};

/// How much later than its deadline a request may be answered.
const GRACE: Duration = Duration::from_millis(500);
/// `/livez` asks nothing outside of the process. Who restarts a process by it waits for a second, most often.
const LIVE_WITHIN: Duration = Duration::from_secs(1);
/// Far beyond the two seconds that are aimed at: a loaded machine makes no run red.
const RECOVERS_WITHIN: Duration = Duration::from_secs(10);

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) plan: Plan,
    pub(super) probes: Probes,
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
        let slowest = self.answers.slowest;
        verdict.promise(slowest <= DEADLINE + GRACE, || {
            format!("a request took {slowest:?}, although its deadline is {DEADLINE:?}")
        });
        let strange = self.answers.failures_other_than(503, &["server/unavailable", "server/deadline"]);
        verdict.promise(strange.is_empty(), || {
            format!("failures that do not tell a client what to do: {}", some(&strange))
        });
        let unanswered = self.answers.unanswered;
        verdict.promise(unanswered == 0, || format!("{unanswered} requests without an answer"));
        for (probe, answers, wanted) in
            [("/livez", &self.probes.live, 200), ("/readyz", &self.probes.ready, 503)]
        {
            let others = answers.iter().filter(|answer| **answer != Some(wanted)).count();
            verdict.promise(others == 0, || format!("{others} answers of {probe} were not {wanted}"));
            verdict.expect(!answers.is_empty(), || format!("{probe} was never asked"));
        }
        let slowest = self.probes.slowest_live;
        verdict.promise(slowest <= LIVE_WITHIN, || format!("/livez took {slowest:?}"));
        verdict.expect(self.answers.failed() > self.plan.stops, || {
            format!("only {} requests noticed anything", self.answers.failed())
        });
        let slowest = self.probes.recoveries.max().max(self.probes.ready_again.max());
        verdict.expect(slowest <= RECOVERS_WITHIN, || format!("it took {slowest:?} to recover"));
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} stops of {} s, {}, {} requests put off, the slowest answer after {} ms (deadline {} ms), {} probes of /livez and {} of /readyz, first \
             request carried out {} ms after the server went on and ready after {} ms at most, seed {}, {:.0} s: {}",
            self.plan.stops,
            self.plan.hang.as_secs(),
            self.invoices,
            self.answers.failed(),
            self.answers.slowest.as_millis(),
            DEADLINE.as_millis(),
            self.probes.live.len(),
            self.probes.ready.len(),
            self.probes.recoveries.max().as_millis(),
            self.probes.ready_again.max().as_millis(),
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
