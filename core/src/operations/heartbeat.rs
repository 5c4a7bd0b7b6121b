//! The pulse of the runtime: a task that only keeps time.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::reports::LivenessReport;

const PERIOD: Duration = Duration::from_secs(1);
/// After this long without a beat the runtime is stuck: every worker thread is blocked.
const LIMIT: Duration = Duration::from_secs(30);

/// When the runtime last ran the heartbeat.
#[derive(Debug, Clone)]
pub(crate) struct Heartbeat(Arc<Beats>);

#[derive(Debug)]
struct Beats {
    origin: Instant,
    /// Milliseconds since `origin`.
    last: AtomicU64,
}

impl Heartbeat {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Beats { origin: Instant::now(), last: AtomicU64::new(0) }))
    }

    /// Beats until it is dropped.
    pub(crate) async fn run(self) {
        let mut interval = tokio::time::interval(PERIOD);
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            interval.tick().await;
            self.0.last.store(self.elapsed_ms(), Ordering::Release);
        }
    }

    pub(crate) fn report(&self) -> LivenessReport {
        let silent_ms = self.elapsed_ms().saturating_sub(self.0.last.load(Ordering::Acquire));
        LivenessReport { alive: Duration::from_millis(silent_ms) < LIMIT, last_heartbeat_ms: silent_ms }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.0.origin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
