//! How long things took.

use std::time::Duration;

use dolmen::BoxError;

/// All of them, in microseconds: a share of samples that were all kept needs no buckets.
#[derive(Debug, Clone, Default)]
pub(crate) struct Latencies(Vec<u32>);

impl Latencies {
    pub(crate) fn add(&mut self, time: Duration) {
        self.add_micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    pub(crate) fn add_micros(&mut self, micros: u64) {
        self.0.push(u32::try_from(micros).unwrap_or(u32::MAX));
    }

    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// In milliseconds, the ones below which these shares of all lie, in thousandths; 1,000 is the longest.
    pub(crate) fn at<const N: usize>(&mut self, shares: [usize; N]) -> Result<[f64; N], BoxError> {
        self.0.sort_unstable();
        let last = self.0.len().checked_sub(1).ok_or("nothing was measured")?;
        let at = |share: usize| self.0.get((self.0.len() * share / 1_000).min(last)).copied();
        Ok(shares.map(|share| f64::from(at(share).unwrap_or_default()) / 1_000.0))
    }
}
