//! When the primary was where: the ruler that the lag of replicas is measured with.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// What the primary had written at each of the last looks at it.
///
/// Lag is measured with our own clock and with what the primary itself says, so it needs no privilege and no clock of a
/// server, and it is right on a primary that writes nothing.
#[derive(Debug)]
pub(super) struct History {
    looks: VecDeque<(Instant, u64)>,
    reach: Duration,
}

impl History {
    /// One that can tell lags up to `reach`.
    pub(super) fn new(reach: Duration) -> Self {
        Self { looks: VecDeque::new(), reach }
    }

    /// At `now`, the primary had written up to `offset`.
    pub(super) fn push(&mut self, now: Instant, offset: u64) {
        // Another database, or an older state of this one.
        if self.looks.back().is_some_and(|(_, last)| offset < *last) {
            self.looks.clear();
        }
        // Of looks that saw the same, the first one tells since when it is there.
        if self.looks.back().is_some_and(|(_, last)| offset == *last) {
            return;
        }
        self.looks.push_back((now, offset));
        while self.looks.get(1).is_some_and(|(at, _)| now.duration_since(*at) > self.reach) {
            self.looks.pop_front();
        }
    }

    /// For how long at least a replica that has come to `offset` has been missing something.
    pub(super) fn lag(&self, now: Instant, offset: u64) -> Duration {
        let missing = self.looks.iter().find(|(_, written)| *written > offset);
        missing.map_or(Duration::ZERO, |(at, _)| now.duration_since(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_lags_by_the_age_of_the_first_thing_that_it_misses() {
        let mut history = History::new(Duration::from_secs(3));
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        for (second, offset) in [(0, 10), (1, 20), (2, 20), (3, 30)] {
            history.push(at(second), offset);
        }
        assert_eq!(history.lag(at(4), 30), Duration::ZERO);
        assert_eq!(history.lag(at(4), 29), Duration::from_secs(1));
        assert_eq!(history.lag(at(4), 15), Duration::from_secs(3));
        assert_eq!(history.lag(at(4), 5), Duration::from_secs(4));
    }

    #[test]
    fn it_forgets_what_is_older_than_it_has_to_tell() {
        let mut history = History::new(Duration::from_secs(3));
        let start = Instant::now();
        for second in 0..100 {
            history.push(start + Duration::from_secs(second), second * 10);
        }
        assert!(history.looks.len() <= 5, "{}", history.looks.len());
        assert!(history.lag(start + Duration::from_secs(99), 0) >= Duration::from_secs(3));
    }

    #[test]
    fn a_primary_that_went_back_begins_a_new_history() {
        let mut history = History::new(Duration::from_secs(3));
        let start = Instant::now();
        history.push(start, 1000);
        history.push(start + Duration::from_secs(1), 10);
        assert_eq!(history.lag(start + Duration::from_secs(2), 10), Duration::ZERO);
    }
}
