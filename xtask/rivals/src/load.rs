//! The job that does nothing, and who is told when it starts.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

/// Two fields, as the smallest useful payload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Nothing {
    pub(crate) order: String,
    pub(crate) number: usize,
}

impl Nothing {
    pub(crate) fn numbered(number: usize) -> Self {
        Self { order: "01234567890123456789".to_owned(), number }
    }

    pub(crate) fn many(count: usize) -> Vec<Self> {
        (0..count).map(Self::numbered).collect()
    }
}

// Handlers of some rivals are types without a value, so they find these as statics; a run makes one measurement.
static STARTED: AtomicUsize = AtomicUsize::new(0);
static PROBE: OnceLock<UnboundedSender<(usize, Instant)>> = OnceLock::new();

/// What every handler does, and all that it does.
pub(crate) fn begin(work: &Nothing) {
    STARTED.fetch_add(1, Ordering::Relaxed);
    if let Some(probe) = PROBE.get() {
        // Nobody listens when the measurement has ended.
        probe.send((work.number, Instant::now())).ok();
    }
}

/// How many handlers have started.
pub(crate) fn started() -> usize {
    STARTED.load(Ordering::Relaxed)
}

/// From now on, every start is told.
pub(crate) fn tell(probe: UnboundedSender<(usize, Instant)>) {
    drop(PROBE.set(probe));
}
