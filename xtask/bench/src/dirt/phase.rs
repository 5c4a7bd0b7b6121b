//! A part of the run, and how long claims took in it.

use std::time::{Duration, Instant};

use dolmen::BoxError;
use sqlx::PgConnection;

use super::sizes::Sizes;
use crate::generator::Latencies;
use crate::process::Process;

#[derive(Debug, Clone)]
pub(super) struct Phase {
    name: &'static str,
    pub(super) claims: Latencies,
    jobs: u64,
    took: Duration,
}

impl Phase {
    pub(super) const HEAD: &str = "                          jobs/s   claim p50      p99  longest";

    /// Waits for its end, and gathers what the worker says of its claims.
    pub(super) async fn wait(name: &'static str, worker: &Process, time: Duration) -> Result<Self, BoxError> {
        worker.said();
        let started = Instant::now();
        tokio::time::sleep(time).await;
        let mut phase = Self { name, claims: Latencies::default(), jobs: 0, took: started.elapsed() };
        for line in worker.said() {
            let mut words = line.split(' ').skip(1);
            let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
            let (micros, jobs) = number().zip(number()).ok_or("the worker did not tell of a claim")?;
            phase.claims.add_micros(micros);
            phase.jobs += jobs;
        }
        Ok(phase)
    }

    /// Several, as one.
    pub(super) fn sum(name: &'static str, phases: &[Self]) -> Self {
        let mut sum = Self { name, claims: Latencies::default(), jobs: 0, took: Duration::ZERO };
        for phase in phases {
            sum.claims.append(phase.claims.clone());
            sum.jobs += phase.jobs;
            sum.took += phase.took;
        }
        sum
    }

    /// Jobs that were claimed.
    pub(super) fn per_second(&self) -> f64 {
        self.jobs as f64 / self.took.as_secs_f64()
    }

    pub(super) async fn print(&self, connection: &mut PgConnection) -> Result<(), BoxError> {
        let [p50, p99, longest] = self.claims.clone().at([500, 990, 1_000])?;
        let row = format!("  {:22}{:8.0}{p50:9.1} ms{p99:9.1}{longest:9.1}", self.name, self.per_second());
        println!("{row:62}{}", Sizes::of(connection).await?);
        Ok(())
    }
}
