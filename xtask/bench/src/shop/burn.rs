//! A job that computes: what reports and imports do to the CPU of their process.

use std::time::{Duration, Instant};

use dolmen::{Job, QueueName};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Burn {
    pub(crate) micros: u64,
}

impl Job for Burn {
    const KIND: &'static str = "bench.burn";
    const QUEUE: QueueName = QueueName::new("flood");
}

impl Burn {
    /// Keeps a thread of the runtime busy, as a handler does that computes.
    pub(super) fn run(&self) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_micros(self.micros) {
            std::hint::spin_loop();
        }
    }
}
