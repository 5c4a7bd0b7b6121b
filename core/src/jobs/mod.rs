//! Typed jobs: enqueue them, handle them.

mod client;
mod context;
mod error;
mod handler;

pub use client::{JobOptions, Jobs};
pub use context::JobContext;
pub(crate) use context::Settled;
pub use error::{JobError, JobVerdict};
pub use handler::JobHandler;
pub(crate) use handler::{ErasedHandler, decode, erase};
