//! Answers other modules.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{ErrorKind, PortError, PortResult, ReadTx, TenantId};

use crate::api::Accounts;
use crate::ports::AccountRepository;

/// The public `api` over the repository.
#[derive(Debug)]
pub(crate) struct AccountsFacade(pub(crate) Arc<dyn AccountRepository>);

#[async_trait]
impl Accounts for AccountsFacade {
    async fn tenants(&self, tx: &mut ReadTx) -> PortResult<Vec<TenantId>> {
        self.0.tenants(tx).await
    }

    async fn tenant_name(&self, tx: &mut ReadTx) -> PortResult<String> {
        let id = tx.tenant()?;
        let tenant = self.0.tenant(tx, id).await?;
        tenant.map(|tenant| tenant.name).ok_or_else(|| {
            PortError::new(ErrorKind::NotFound, "accounts", "find the tenant")
                .with_detail(format!("there is no tenant {id}"))
        })
    }
}
