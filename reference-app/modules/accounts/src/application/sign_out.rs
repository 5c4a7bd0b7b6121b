//! Signing out: the session ends at once, on every instance.

use std::sync::Arc;

use dolmen::{
    Actor, AuditEntry, AuditLog, Clock, Credentials, Database, IdGenerator, PortResult, Principal, Sessions,
};

/// Ends the session that the caller presented.
pub(crate) struct SignOut {
    pub(crate) database: Database,
    pub(crate) sessions: Sessions,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl SignOut {
    pub(crate) async fn run(&self, principal: &Principal, credentials: &Credentials) -> PortResult<()> {
        self.database
            .tenant(principal.tenant)
            .write(async |tx| {
                self.sessions.close(tx, credentials).await?;
                let (now, actor) = (self.clock.now(), Actor::User(principal.user));
                let target = format!("user/{}", principal.user);
                let entry = AuditEntry::new(self.ids.next(), now, actor, "accounts.sign_out", target);
                self.audit.record(tx, &entry).await
            })
            .await
    }
}
