//! Recording who did what, with the time and the id that an entry needs.

use std::sync::Arc;

use dolmen_ports::{Actor, AuditEntry, AuditLog, Clock, IdGenerator, PortResult, WriteTx};

/// Records who did what, in the transaction of the change; cheap to clone.
///
/// # Examples
/// ```
/// use dolmen::{Actor, AuditTrail, PortResult, WriteTx};
/// async fn close(audit: &AuditTrail, tx: &mut WriteTx, order: u32) -> PortResult<()> {
///     audit.record(tx, Actor::System, "orders.close_order", format!("order/{order}")).await
/// }
/// ```
#[derive(Debug, Clone)]
pub struct AuditTrail {
    log: Arc<dyn AuditLog>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl AuditTrail {
    /// Records into `log`.
    pub fn new(log: Arc<dyn AuditLog>, clock: Arc<dyn Clock>, ids: Arc<dyn IdGenerator>) -> Self {
        Self { log, clock, ids }
    }

    /// Adds an entry: `action` as `module.verb_noun`, `target` as `noun/id`.
    pub async fn record(
        &self,
        tx: &mut WriteTx,
        actor: Actor,
        action: &'static str,
        target: impl Into<String> + Send,
    ) -> PortResult<()> {
        let entry = AuditEntry::new(self.ids.next(), self.clock.now(), actor, action, target);
        self.log.record(tx, &entry).await
    }
}
