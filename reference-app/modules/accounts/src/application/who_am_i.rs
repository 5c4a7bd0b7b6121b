//! Telling a user who they are.

use dolmen::{ErrorKind, PortError, PortResult, Principal};

use super::UseCases;

/// What a user sees of themselves.
pub(crate) struct Me {
    pub(crate) email: String,
    pub(crate) tenant_name: String,
}

impl UseCases {
    /// Reads the user and the tenant of a principal.
    pub(crate) async fn who_am_i(&self, principal: &Principal) -> PortResult<Me> {
        self.ports
            .database
            .tenant(principal.tenant)
            .read(async |tx| {
                // A session outlives neither its user nor its tenant for long, but it can: then it is void.
                let gone = || PortError::new(ErrorKind::Unauthenticated, "accounts", "find the user");
                let user = self.accounts.user(tx, principal.user).await?.ok_or_else(gone)?;
                let tenant = self.accounts.tenant(tx, principal.tenant).await?.ok_or_else(gone)?;
                Ok(Me { email: user.email, tenant_name: tenant.name })
            })
            .await
    }
}
