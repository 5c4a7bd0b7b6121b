//! The suite of the job queue: rules `JQ-1` to `JQ-18`.
//!
//! No case waits for time to pass: the harness makes rows older instead, so that leases run out and delays end.
//!
//! # Examples
//! How a team runs it for its own adapter:
//! ```no_run
//! use std::{process::ExitCode, sync::Arc, time::Duration};
//! use dolmen_ports::{BoxError, Database, JobQueue, PortResult};
//! use dolmen_testkit::conformance::{self, Harness, TransactionHarness, jobs::JobsHarness};
//! struct Mine { database: Database, queue: Arc<dyn JobQueue> }
//! impl Harness for Mine {}
//! impl TransactionHarness for Mine { fn database(&self) -> &Database { &self.database } }
//! #[async_trait::async_trait]
//! impl JobsHarness for Mine {
//!     fn queue(&self) -> Arc<dyn JobQueue> { Arc::clone(&self.queue) }
//!     async fn age(&self, by: Duration) -> PortResult<()> { Ok(()) }   // update .. set due_at = due_at - by, ..
//! }
//! async fn fresh() -> Result<Mine, BoxError> { Err("here an empty database is made".into()) }
//! fn main() -> ExitCode { conformance::run(conformance::jobs::cases("mine", fresh)) }
//! ```

mod claim;
mod done;
mod enqueue;
mod finish;
mod lease;
mod model;
mod operate;
mod order;
mod probe;
mod sequences;
mod wait;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{JobQueue, PortResult};

use super::harness::TransactionHarness;
use super::suite::{Suite, cases_of};

/// Gives the job suite a queue, and makes time pass for it.
#[async_trait]
pub trait JobsHarness: TransactionHarness {
    /// The queue, in the transactions of the harness's database.
    fn queue(&self) -> Arc<dyn JobQueue>;

    /// Makes every job `by` older: all its instants (due, created, finished, end of lease) move that far into the past, and
    /// the period of its unique key is over.
    async fn age(&self, by: Duration) -> PortResult<()>;

    /// The sequences of 30 calls that are held against the model, by their seeds. They take their time, so that a run for
    /// every change plays the first ones only.
    fn sequences(&self) -> Range<u64> {
        0..100
    }
}

type JobsSuite = Suite<dyn JobsHarness>;

cases_of!(dyn JobsHarness, suite());

pub(super) fn suite() -> JobsSuite {
    let suite = enqueue::add(Suite::new("jobs"));
    let suite = finish::add(claim::add(suite));
    sequences::add(wait::add(order::add(done::add(operate::add(lease::add(suite))))))
}
