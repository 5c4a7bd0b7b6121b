//! Who did what: append-only rows in the transaction of the change.

use std::fmt;

use async_trait::async_trait;
use uuid::Uuid;

use crate::auth::UserId;
use crate::database::{ReadTx, WriteTx};
use crate::error::PortResult;
use crate::time::Timestamp;

/// Who acted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// A user.
    User(UserId),
    /// The program itself: a job, a schedule, a command.
    System,
}

/// One thing that somebody did.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Identifies the entry.
    pub id: Uuid,
    /// When it was done, by the application's clock.
    pub at: Timestamp,
    /// Who did it.
    pub actor: Actor,
    /// What was done, as `module.verb_noun`, such as `invoices.issue_invoice`.
    pub action: String,
    /// What it was done to, as `noun/id`, such as `invoice/0198…`.
    pub target: String,
}

impl AuditEntry {
    /// An entry; the tenant is the one of the transaction that records it.
    pub fn new(
        id: Uuid,
        at: Timestamp,
        actor: Actor,
        action: impl Into<String>,
        target: impl Into<String>,
    ) -> Self {
        Self { id, at, actor, action: action.into(), target: target.into() }
    }
}

/// Records who did what.
///
/// # Contract
/// - `AL-1` An entry exists if and only if the change's transaction committed.
/// - `AL-2` Entries are never changed or removed through this port.
/// - `AL-3` An entry belongs to the tenant of the transaction; `list` in a tenant's scope shows that tenant's only.
#[async_trait]
pub trait AuditLog: fmt::Debug + Send + Sync + 'static {
    /// Adds an entry in the caller's transaction.
    async fn record(&self, tx: &mut WriteTx, entry: &AuditEntry) -> PortResult<()>;
    /// The newest entries first, at most `limit`, older than the entry `before` when given.
    async fn list(&self, tx: &mut ReadTx, before: Option<Uuid>, limit: u32) -> PortResult<Vec<AuditEntry>>;
}
