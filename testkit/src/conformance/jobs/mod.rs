//! The suite of the job queue: rules `JQ-1` to `JQ-14`.
//!
//! No case waits for time to pass: the harness makes rows older instead, so that leases run out and delays end.
//!
//! # Examples
//! How a team runs it for its own adapter:
//! ```ignore
//! impl JobsHarness for MyHarness {
//!     fn queue(&self) -> Arc<dyn JobQueue> { Arc::clone(&self.queue) }
//!     async fn age(&self, by: Duration) -> PortResult<()> {
//!         // update job set due_at = due_at - by, created_at = .., finished_at = .., lease_until = ..
//!     }
//! }
//! fn main() -> ExitCode {
//!     conformance::run(conformance::jobs::cases("mydb", MyHarness::fresh))
//! }
//! ```

mod claim;
mod probe;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{BoxError, JobQueue, PortResult};

use super::case::Case;
use super::harness::TransactionHarness;
use super::suite::Suite;

/// Gives the job suite a queue, and makes time pass for it.
#[async_trait]
pub trait JobsHarness: TransactionHarness {
    /// The queue, in the transactions of the harness's database.
    fn queue(&self) -> Arc<dyn JobQueue>;

    /// Makes every job `by` older: all its instants (due, created, finished, end of lease) move that far into the past.
    async fn age(&self, by: Duration) -> PortResult<()>;
}

type JobsSuite = Suite<dyn JobsHarness>;

/// The cases of the suite.
pub fn cases<H, F, Fut>(label: &str, fresh: F) -> Vec<Case>
where
    H: JobsHarness,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<H, BoxError>> + Send + 'static,
{
    suite().cases(label, move || {
        let harness = fresh();
        async { harness.await.map(|harness| Arc::new(harness) as Arc<dyn JobsHarness>) }
    })
}

fn suite() -> JobsSuite {
    claim::add(Suite::new("jobs"))
}
