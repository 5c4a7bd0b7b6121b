//! A fake for every port: real behaviour in memory, not a script of expected calls.
//!
//! Each fake passes the conformance suite of its port, so a test that passes against it means something. The fakes that
//! belong to a transaction ([`MemoryJobQueue`] and others) commit and roll back with [`MemoryDatabase`]. Their time is a
//! [`ManualClock`]: nothing passes until a test says so.

mod clock;
mod database;
mod ids;
mod jobs;

pub use clock::ManualClock;
pub use database::{MemoryDatabase, MemoryTable, MemoryTx};
pub use ids::SequentialIds;
pub use jobs::{MemoryHeartbeat, MemoryJobQueue};
