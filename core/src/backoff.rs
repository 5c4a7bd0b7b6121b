//! How long to wait before trying again: exponential, with full jitter, capped.

use std::time::Duration;

/// The delay grows by `factor` from `base` up to `cap`; what is waited is spread evenly between zero and that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Backoff {
    base: Duration,
    factor: u32,
    cap: Duration,
}

impl Backoff {
    /// Between the attempts of a job: at most 5 s, 15 s, 45 s, 2 min, 7 min, 20 min, 1 h, 3 h, then 6 h.
    ///
    /// On average half of that, so the default of 10 attempts spans about 5 hours, and at most about 10.
    pub(crate) const RETRY: Self =
        Self { base: Duration::from_secs(5), factor: 3, cap: Duration::from_hours(6) };

    /// Between calls of a queue that does not answer: at most 0.5 s, 1 s, 2 s, 4 s, then 5 s.
    pub(crate) const OUTAGE: Self =
        Self { base: Duration::from_millis(500), factor: 2, cap: Duration::from_secs(5) };

    /// The longest wait after failure number `failures`, from 1.
    pub(crate) fn ceiling(&self, failures: u32) -> Duration {
        let growth = self.factor.checked_pow(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.base.saturating_mul(growth).min(self.cap)
    }

    /// The wait after failure number `failures`: a pure function of it and the seed.
    pub(crate) fn delay(&self, failures: u32, seed: u64) -> Duration {
        share(self.ceiling(failures), mix(seed ^ u64::from(failures).wrapping_mul(GOLDEN)))
    }
}

/// A stream of evenly spread numbers, for jitter only.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    /// The same seed gives the same stream.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// Between three quarters of `interval` and all of it, so that processes that started together drift apart.
    pub(crate) fn around(&mut self, interval: Duration) -> Duration {
        interval.saturating_sub(share(interval / 4, self.roll()))
    }
}

/// The seed of an id: two ids of one generator give unlike seeds.
pub(crate) fn seed_of(id: uuid::Uuid) -> u64 {
    let (high, low) = id.as_u64_pair();
    mix(high) ^ low
}

const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finalizer of `SplitMix64`: spreads close seeds over all numbers.
fn mix(seed: u64) -> u64 {
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    seed ^ (seed >> 31)
}

/// The part of `whole` that `dice` is of all numbers.
fn share(whole: Duration, dice: u64) -> Duration {
    let micros = (whole.as_micros() * u128::from(dice)) >> 64;
    Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ceiling_grows_to_its_cap_and_stays() {
        let seconds: Vec<u64> = (1..=10).map(|n| Backoff::RETRY.ceiling(n).as_secs()).collect();
        assert_eq!(seconds, [5, 15, 45, 135, 405, 1_215, 3_645, 10_935, 21_600, 21_600]);
        assert_eq!(Backoff::RETRY.ceiling(1_000), Duration::from_hours(6));
        assert_eq!(Backoff::OUTAGE.ceiling(u32::MAX), Duration::from_secs(5));
    }

    #[test]
    fn delays_fill_the_whole_range_evenly() {
        for failures in 1..=10 {
            let ceiling = Backoff::RETRY.ceiling(failures);
            let delays: Vec<Duration> = (0..4_000).map(|seed| Backoff::RETRY.delay(failures, seed)).collect();
            assert!(delays.iter().all(|delay| *delay <= ceiling));
            for quarter in 0..4 {
                let low = ceiling * quarter / 4;
                let inside = delays.iter().filter(|d| **d >= low && **d < low + ceiling / 4).count();
                assert!((850..1_150).contains(&inside), "{inside} of 4000 in quarter {quarter}");
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_delay_and_each_attempt_another() {
        assert_eq!(Backoff::RETRY.delay(3, 7), Backoff::RETRY.delay(3, 7));
        let share =
            |n: u32| Backoff::RETRY.delay(n, 7).as_secs_f64() / Backoff::RETRY.ceiling(n).as_secs_f64();
        assert!((share(2) - share(3)).abs() > 0.001);
    }

    #[test]
    fn an_interval_is_shortened_by_at_most_a_quarter() {
        let mut dice = Dice::new(1);
        let minute = Duration::from_mins(1);
        let rolls: Vec<Duration> = (0..100).map(|_| dice.around(minute)).collect();
        assert!(rolls.iter().all(|r| *r <= minute && *r >= minute * 3 / 4));
        assert!(rolls.windows(2).any(|pair| pair[0] != pair[1]));
    }
}
