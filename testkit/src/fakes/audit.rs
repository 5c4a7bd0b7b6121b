//! An audit log in memory.

use async_trait::async_trait;
use dolmen_ports::{AuditEntry, AuditLog, PortResult, ReadTx, Scope, TenantId, Uuid, WriteTx};

use super::database::MemoryTable;

const ENTRIES: MemoryTable<Uuid, (Option<TenantId>, AuditEntry)> = MemoryTable::new("dolmen_audit");

/// An audit log in memory; its entries lie in the [`MemoryDatabase`](super::MemoryDatabase) of the transaction.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct MemoryAuditLog;

impl MemoryAuditLog {
    /// The log.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl AuditLog for MemoryAuditLog {
    async fn record(&self, tx: &mut WriteTx, entry: &AuditEntry) -> PortResult<()> {
        let tenant = tx.scope().tenant();
        ENTRIES.insert(tx, entry.id, (tenant, entry.clone()))
    }

    async fn list(&self, tx: &mut ReadTx, before: Option<Uuid>, limit: u32) -> PortResult<Vec<AuditEntry>> {
        let scope = tx.scope();
        let entries = ENTRIES.scan(tx, |id, (tenant, _)| {
            before.is_none_or(|before| *id < before) && (scope == Scope::System || scope.tenant() == *tenant)
        })?;
        Ok(entries.into_iter().rev().take(limit as usize).map(|(_, (_, entry))| entry).collect())
    }
}
