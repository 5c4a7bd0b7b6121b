//! What accounts need from outside: a place to keep users, and a way to check passwords.

use std::fmt;

use async_trait::async_trait;
use dolmen::{AuditTrail, Database, PortResult, ReadTx, Secret, Sessions, TenantId, UserId, WriteTx};

use crate::domain::{Tenant, User};

/// Keeps tenants and users. Addresses are unique across all tenants, so signing in needs no tenant.
#[async_trait]
pub(crate) trait AccountRepository: fmt::Debug + Send + Sync + 'static {
    async fn insert_tenant(&self, tx: &mut WriteTx, tenant: &Tenant) -> PortResult<()>;
    async fn insert_user(&self, tx: &mut WriteTx, user: &User) -> PortResult<()>;
    async fn tenants(&self, tx: &mut ReadTx) -> PortResult<Vec<TenantId>>;
    async fn tenant(&self, tx: &mut ReadTx, id: TenantId) -> PortResult<Option<Tenant>>;
    async fn user(&self, tx: &mut ReadTx, id: UserId) -> PortResult<Option<User>>;
    async fn user_by_email(&self, tx: &mut ReadTx, email: &str) -> PortResult<Option<User>>;
}

/// Hashes and checks passwords, slowly on purpose, away from the threads that serve.
#[async_trait]
pub(crate) trait Passwords: fmt::Debug + Send + Sync + 'static {
    async fn hash(&self, password: &Secret<String>) -> PortResult<String>;
    /// Whether the password belongs to the hash. Without a hash (unknown user) it takes as long and says no, so that
    /// time does not tell who has an account.
    async fn verify(&self, password: &Secret<String>, hash: Option<&str>) -> PortResult<bool>;
}

/// The ports that accounts need.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct AccountsPorts {
    /// Where accounts are kept.
    pub database: Database,
    /// Opens and closes sessions.
    pub sessions: Sessions,
    /// Who did what.
    pub audit: AuditTrail,
    /// Whether the demo tenant is there; never in production.
    pub demo: bool,
}
