//! Typed jobs: enqueue them, handle them.

mod client;
mod context;
mod error;
mod handler;
mod outcome;
mod worker;

pub use client::{JobOptions, Jobs};
pub use context::JobContext;
pub(crate) use context::Settled;
pub use error::{JobError, JobVerdict};
pub use handler::JobHandler;
pub(crate) use handler::{ErasedHandler, decode, erase};
pub use outcome::{JobOutcome, JobRun};
pub use worker::{DueJobs, Worker, WorkerSettings};
