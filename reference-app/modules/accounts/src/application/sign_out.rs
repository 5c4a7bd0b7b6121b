//! Signing out: the session ends at once, on every instance.

use dolmen::{Credentials, PortResult, Principal};

use super::UseCases;

impl UseCases {
    /// Ends the session that the caller presented.
    pub(crate) async fn sign_out(&self, principal: &Principal, credentials: &Credentials) -> PortResult<()> {
        self.ports
            .database
            .tenant(principal.tenant)
            .write(async |tx| {
                self.ports.sessions.close(tx, credentials).await?;
                let target = format!("user/{}", principal.user);
                self.ports.audit.record(tx, principal.actor(), "accounts.sign_out", target).await
            })
            .await
    }
}
