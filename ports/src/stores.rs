//! What one database gives, together.

use std::sync::Arc;

use crate::{AuditLog, Database, Inbox, JobQueue, MigrationSet, ScheduleStore, SessionStore};

/// The ports that one database stands behind. Made by its adapter in one piece, because they share its transactions and
/// its schema: parts of two databases would not fit together.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "an adapter gives all of it; a new store is a new duty")]
pub struct Stores {
    /// Transactions.
    pub database: Database,
    /// Durable jobs.
    pub jobs: Arc<dyn JobQueue>,
    /// Ticks published once.
    pub schedules: Arc<dyn ScheduleStore>,
    /// Requests and messages handled once.
    pub inbox: Arc<dyn Inbox>,
    /// Sessions that every instance knows.
    pub sessions: Arc<dyn SessionStore>,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// The tables of all these.
    pub migrations: MigrationSet,
}
