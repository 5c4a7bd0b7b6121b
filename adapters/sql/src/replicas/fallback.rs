//! Why the primary took a read that a replica might have taken.

use std::sync::atomic::{AtomicU64, Ordering};

use dolmen_ports::{Metric, MetricKind, Metrics};

static FALLBACK: Metric = Metric {
    name: "database_replica_fallback",
    help: "Reads for a replica that the primary took, by reason",
    unit: "",
    labels: &["reason"],
    kind: MetricKind::Counter,
};

/// A reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fallback {
    /// The client wrote a moment ago, and nothing tells which replica has it.
    RecentWrite,
    /// The client's position belongs to another database, or to a branch of the history that is not known here yet.
    OtherHistory,
    /// The replica had not come as far as the client has to see.
    Behind,
    /// No replica is in use: none was found to be fit at the last look.
    NoneInUse,
    /// No replica could be reached just now.
    Unreachable,
    /// The replica gave no connection in time.
    Busy,
}

impl Fallback {
    const ALL: [Self; 6] =
        [Self::RecentWrite, Self::OtherHistory, Self::Behind, Self::NoneInUse, Self::Unreachable, Self::Busy];

    fn name(self) -> &'static str {
        match self {
            Self::RecentWrite => "recent_write",
            Self::OtherHistory => "other_history",
            Self::Behind => "behind",
            Self::NoneInUse => "none_in_use",
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
        }
    }
}

/// Counts them.
#[derive(Debug)]
pub(super) struct Fallbacks {
    metrics: Metrics,
    counts: [(Fallback, AtomicU64); 6],
}

impl Fallbacks {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { metrics, counts: Fallback::ALL.map(|reason| (reason, AtomicU64::new(0))) }
    }

    pub(super) fn count(&self, reason: Fallback) {
        self.metrics.add(&FALLBACK, &[reason.name()], 1);
        for (of, count) in &self.counts {
            if *of == reason {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Those that happened.
    pub(super) fn counted(&self) -> Vec<(&'static str, u64)> {
        let counts = self.counts.iter().map(|(reason, count)| (reason.name(), count.load(Ordering::Relaxed)));
        counts.filter(|(_, count)| *count > 0).collect()
    }
}
