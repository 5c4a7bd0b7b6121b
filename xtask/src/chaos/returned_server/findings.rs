//! The figures of F38.

use std::fmt;
use std::time::Duration;

use crate::chaos::effects::Effects;
use crate::chaos::times::Times;
use crate::chaos::verdict::{Figures, Verdict};

use super::Plan;

/// New connections in one second, at most: this multiple of those that are kept.
const CROWD: usize = 2;
/// What a process may ask for in a second while nobody answers. Those that wait in it ask anew, but one after the other, which this
/// tells from all at once; it is no promise of a rate.
const OF_PROCESS: usize = 50;
/// How long the web may take, at most: this multiple of what it took before.
const SLOWER: u32 = 2;
/// Below this nobody waits for it, and a busy machine doubles it by chance.
const AT_ONCE: Duration = Duration::from_millis(250);
/// So many seconds in a row it is fast when it is fast again.
const SECONDS: usize = 2;

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Findings {
    pub(super) plan: Plan,
    pub(super) processes: usize,
    /// The connections of all processes when nothing is wrong.
    pub(super) kept: usize,
    /// The most connections asked for in a second, while the server was away and since.
    pub(super) peak_away: usize,
    pub(super) peak_back: usize,
    pub(super) before: Times,
    /// By the second.
    pub(super) after: Vec<Times>,
    pub(super) effects: Effects,
    pub(super) seed: u64,
    pub(super) seconds: f32,
}

impl Findings {
    /// After how many seconds the web was as fast as before.
    fn fast_after(&self) -> Option<usize> {
        let limit = (self.before.percent(99) * SLOWER).max(AT_ONCE);
        let fast = |times: &Times| times.len() > 0 && times.percent(99) <= limit;
        self.after.windows(SECONDS).position(|seconds| seconds.iter().all(fast))
    }
}

impl Figures for Findings {
    fn verdict(&self) -> Verdict {
        let mut verdict = Verdict::default();
        self.effects.judge(&mut verdict);
        let limits = [
            (self.peak_away, self.processes * OF_PROCESS, "while it was away"),
            (self.peak_back, self.kept * CROWD, "when it was back"),
        ];
        for (peak, limit, when) in limits {
            verdict.promise(peak <= limit, || {
                format!("{peak} connections were asked for in a second {when}, at most {limit} are promised")
            });
        }
        verdict.promise(self.fast_after().is_some(), || {
            let seconds: Vec<String> = self.after.iter().map(ToString::to_string).collect();
            format!("the web did not become as fast as before: {}", seconds.join("; "))
        });
        verdict.expect(self.before.len() > 0 && self.kept > 0, || "nothing ran before".to_owned());
        verdict
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.fast_after().map_or("not".to_owned(), |seconds| format!("after {seconds} s"));
        write!(
            f,
            "away for {} s, {} connections kept, at most {} asked for in a second while away and {} when back, web {} before, as \
             fast again {after}, {}, seed {}, {:.0} s: {}",
            self.plan.away.as_secs(),
            self.kept,
            self.peak_away,
            self.peak_back,
            self.before,
            self.effects,
            self.seed,
            self.seconds,
            self.verdict()
        )
    }
}
