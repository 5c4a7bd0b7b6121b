//! Whose data: tenants, and the scope that every transaction and job carries.

use std::fmt;

crate::define_id! {
    /// Identifies a tenant: a customer of ours whose data nobody else sees.
    pub struct TenantId;
}

/// Whose data a transaction or a job may touch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a scope is one tenant or the system; a third kind would be a new design"
)]
pub enum Scope {
    /// All tenants: sign-in, schedules, operations. Rare, and easy to search for.
    System,
    /// One tenant.
    Tenant(TenantId),
}

impl Scope {
    /// The tenant, unless this is the system scope.
    pub const fn tenant(self) -> Option<TenantId> {
        match self {
            Self::System => None,
            Self::Tenant(tenant) => Some(tenant),
        }
    }
}

impl From<Option<TenantId>> for Scope {
    fn from(tenant: Option<TenantId>) -> Self {
        tenant.map_or(Self::System, Self::Tenant)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Tenant(tenant) => write!(f, "tenant {tenant}"),
        }
    }
}
