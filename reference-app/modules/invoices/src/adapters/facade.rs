//! Answers other modules.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{PortResult, ReadTx, Timestamp};

use crate::api::{Invoices, Revenue};
use crate::ports::InvoiceRepository;

/// The public `api` over the repository.
#[derive(Debug)]
pub(crate) struct InvoicesFacade(pub(crate) Arc<dyn InvoiceRepository>);

#[async_trait]
impl Invoices for InvoicesFacade {
    async fn revenue(&self, tx: &mut ReadTx, from: Timestamp, to: Timestamp) -> PortResult<Vec<Revenue>> {
        self.0.revenue(tx, from, to).await
    }
}
