//! Tenants and their users.

use dolmen::{Principal, TenantId, UserId};

/// A company that uses the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tenant {
    pub(crate) id: TenantId,
    pub(crate) name: String,
}

/// A person who signs in for one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: UserId,
    pub(crate) tenant: TenantId,
    /// In lower case: nobody should be locked out by a capital letter.
    pub(crate) email: String,
    pub(crate) password_hash: String,
    pub(crate) role: String,
}

impl User {
    pub(crate) fn principal(&self) -> Principal {
        Principal::new(self.id, self.tenant, self.role.clone())
    }
}

/// The form in which addresses are stored and looked up.
pub(crate) fn normalized_email(email: &str) -> String {
    email.trim().to_lowercase()
}
