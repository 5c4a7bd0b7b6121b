//! What came of the requests of one rate.

use std::time::Duration;

use dolmen::BoxError;

use crate::generator::{Answers, Latencies};

/// A rate holds when the 99th of 100 requests is answered within this.
const LONGEST_P99_MS: f64 = 250.0;

pub(super) struct Outcome {
    /// How many should come; each request brings one.
    pub(super) jobs_per_second: f64,
    pub(super) took: Duration,
    pub(super) answers: Answers,
    /// From before the transaction of the request to the start of the job.
    pub(super) starts: Latencies,
    /// Jobs that were not done when the last request was answered.
    pub(super) left: i64,
    /// Rows of claims that were there then.
    pub(super) claims: i64,
    /// Requests that were accepted and whose job left nothing.
    pub(super) lost: usize,
    pub(super) twice: usize,
}

impl Outcome {
    pub(super) const HEAD: &str = "    events/s  requests     accepted  other      lost  twice   request p50      p99    \
         p99.9   start p50      p99  jobs left  claims";

    pub(super) fn shown(&mut self) -> Result<String, BoxError> {
        let [p50, p99, p999] = self.answers.times.at([500, 990, 999])?;
        let [start_p50, start_p99] = self.starts.at([500, 990]).unwrap_or([f64::NAN; 2]);
        let accepted = self.answers.accepted.len();
        let asked = self.answers.asked();
        Ok(format!(
            "  {:10.0}{asked:>10}{accepted:>13}{:>7}{:>10}{:>7}{p50:11.2} ms{p99:9.2}{p999:9.2}{start_p50:9.2} ms{start_p99:9.2}\
             {:>11}{:>8}",
            // The requests, and those of their jobs that were done by then.
            (2.0 * accepted as f64 - self.left as f64) / self.took.as_secs_f64(),
            asked - accepted as u64,
            self.lost,
            self.twice,
            self.left,
            self.claims,
        ))
    }

    /// Whether the application keeps up with this rate: requests are answered in time and all accepted, and no more jobs
    /// are left than come within a quarter of a second.
    pub(super) fn holds(&mut self) -> Result<bool, BoxError> {
        let [p99] = self.answers.times.at([990])?;
        let is_accepted = self.answers.accepted.len() as u64 == self.answers.asked();
        Ok(is_accepted && p99 <= LONGEST_P99_MS && self.left as f64 <= self.jobs_per_second / 4.0)
    }

    /// Losing anything is an error, at any rate.
    pub(super) fn judged(&self) -> Result<(), BoxError> {
        if self.lost == 0 && self.twice == 0 {
            return Ok(());
        }
        Err(format!(
            "the jobs of {} accepted requests are lost, those of {} ran twice",
            self.lost, self.twice
        )
        .into())
    }
}
