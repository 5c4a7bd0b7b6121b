//! What other modules may use of accounts.

use std::fmt;

use async_trait::async_trait;
use dolmen::{PortResult, ReadTx, TenantId};

/// Questions that other modules may ask, in a transaction of theirs.
#[async_trait]
pub trait Accounts: fmt::Debug + Send + Sync + 'static {
    /// All tenants, in a transaction of the system scope.
    async fn tenants(&self, tx: &mut ReadTx) -> PortResult<Vec<TenantId>>;
    /// The name of the transaction's tenant.
    async fn tenant_name(&self, tx: &mut ReadTx) -> PortResult<String>;
}
