//! A fake for every port: real behaviour in memory, not a script of expected calls.
//!
//! Each fake passes the conformance suite of its port, so a test that passes against it means something. The fakes that
//! belong to a transaction ([`MemoryJobQueue`] and others) commit and roll back with [`MemoryDatabase`]. Their time is a
//! [`ManualClock`]: nothing passes until a test says so.

mod audit;
mod auth;
mod clock;
mod database;
mod health;
mod ids;
mod inbox;
mod jobs;
mod mail;
mod metrics;
mod objects;
mod schedules;
mod sessions;

pub use audit::MemoryAuditLog;
pub use auth::MemoryAuthenticator;
pub use clock::ManualClock;
pub(crate) use database::AfterCommit;
pub use database::{MemoryDatabase, MemoryTable, MemoryTx};
pub use health::FixedHealth;
pub use ids::SequentialIds;
pub use inbox::MemoryInbox;
pub use jobs::{MemoryHeartbeat, MemoryJobQueue};
pub use mail::MemoryMailer;
pub use metrics::RecordingMetrics;
pub use objects::MemoryObjectStore;
pub use schedules::MemoryScheduleStore;
pub use sessions::MemorySessionStore;
