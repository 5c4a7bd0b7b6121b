//! Lets so many jobs through each second, and no more: a worker with work for this long.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

#[derive(Debug)]
pub(super) struct Paced {
    start: Instant,
    per_second: u32,
    /// The next free turn, in microseconds since the start.
    next: AtomicU64,
}

impl Paced {
    pub(super) fn new(per_second: u32) -> Self {
        Self { start: Instant::now(), per_second: per_second.max(1), next: AtomicU64::new(0) }
    }

    /// Waits for the next turn; turns that nobody took in time are lost.
    pub(super) async fn turn(&self) {
        let step = 1_000_000 / u64::from(self.per_second);
        let now = u64::try_from(self.start.elapsed().as_micros()).unwrap_or(u64::MAX);
        let taken = self.next.fetch_update(Ordering::AcqRel, Ordering::Acquire, |next| {
            // Up to a tenth of a second is made good: a late timer must not make the pace a slower one.
            Some(next.max(now.saturating_sub(100_000)) + step)
        });
        let turn = taken.unwrap_or_default().max(now.saturating_sub(100_000));
        sleep_until(self.start + Duration::from_micros(turn)).await;
    }
}
