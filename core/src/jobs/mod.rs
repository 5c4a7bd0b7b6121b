//! Typed jobs: enqueue them, handle them, look after them.

mod admin;
mod client;
#[cfg(feature = "cli")]
mod command;
mod context;
mod error;
mod handler;
mod outcome;
mod worker;

pub use admin::JobAdmin;
pub use client::{JobOptions, Jobs};
#[cfg(feature = "cli")]
pub use command::{ChosenJobs, JobsCommand, JobsFilter};
pub use context::JobContext;
pub use error::{JobError, JobVerdict};
pub use handler::JobHandler;
pub(crate) use handler::{ErasedHandler, decode, erase};
pub use outcome::{JobOutcome, JobRun};
pub use worker::{DueJobs, Worker, WorkerSettings};
