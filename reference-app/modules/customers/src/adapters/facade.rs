//! Answers other modules.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{PortResult, ReadTx};

use crate::api::{CustomerId, CustomerSummary, Customers};
use crate::ports::CustomerRepository;

/// The public `api` over the repository.
#[derive(Debug)]
pub(crate) struct CustomersFacade(pub(crate) Arc<dyn CustomerRepository>);

#[async_trait]
impl Customers for CustomersFacade {
    async fn find(&self, tx: &mut ReadTx, id: CustomerId) -> PortResult<Option<CustomerSummary>> {
        let customer = self.0.find(tx, id).await?;
        Ok(customer.map(|customer| CustomerSummary::new(id, customer.details.name, customer.details.email)))
    }
}
