//! How long something took, again and again.

use std::fmt;
use std::time::Duration;

/// Times, for their percentiles.
#[derive(Debug, Clone, Default)]
pub(super) struct Times(Vec<Duration>);

impl Times {
    pub(super) fn push(&mut self, time: Duration) {
        let place = self.0.partition_point(|earlier| *earlier <= time);
        self.0.insert(place, time);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The time that so many of a hundred do not exceed; zero when there are none.
    pub(super) fn percent(&self, percent: usize) -> Duration {
        let index = (self.0.len() * percent).div_ceil(100).saturating_sub(1);
        self.0.get(index).copied().unwrap_or_default()
    }

    pub(super) fn max(&self) -> Duration {
        self.0.last().copied().unwrap_or_default()
    }
}

impl fmt::Display for Times {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = |time: Duration| time.as_millis();
        let (p50, p99) = (millis(self.percent(50)), millis(self.percent(99)));
        write!(f, "p50 {p50} ms p99 {p99} ms max {} ms", millis(self.max()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let mut times = Times::default();
        assert_eq!(times.to_string(), "p50 0 ms p99 0 ms max 0 ms");
        for millis in [30, 10, 20, 40] {
            times.push(Duration::from_millis(millis));
        }
        assert_eq!(times.to_string(), "p50 20 ms p99 40 ms max 40 ms");
        assert_eq!(times.len(), 4);
    }
}
