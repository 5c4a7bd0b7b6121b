//! A clock that stands still until it is told to go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use dolmen_ports::{Clock, Timestamp};

/// 2026-01-01T00:00:00Z, where a new clock stands.
const START: Timestamp = Timestamp::from_unix_seconds(1_767_225_600);

/// A clock under the control of the test. A clone is the same clock.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use dolmen_ports::Clock;
/// use dolmen_testkit::fakes::ManualClock;
/// let clock = ManualClock::new();
/// let same = clock.clone();
/// clock.advance(Duration::from_hours(1));
/// assert_eq!(same.now().to_string(), "2026-01-01T01:00:00.000000Z");
/// ```
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at 2026-01-01T00:00:00Z.
    pub fn new() -> Self {
        Self::at(START)
    }

    /// A clock that stands at `now`.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(now.as_unix_micros())))
    }

    /// Moves the time on.
    pub fn advance(&self, by: Duration) {
        self.set(self.now().plus(by));
    }

    /// Moves the time to `now`, which may lie in the past, as when a machine's clock is corrected.
    pub fn set(&self, now: Timestamp) {
        self.0.store(now.as_unix_micros(), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_micros(self.0.load(Ordering::SeqCst))
    }
}
