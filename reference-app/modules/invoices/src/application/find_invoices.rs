//! Reading invoices.

use std::sync::Arc;

use dolmen::{Database, PortResult, Principal};

use crate::api::InvoiceId;
use crate::domain::{Invoice, Status};
use crate::ports::InvoiceRepository;

/// One invoice, or a page of them, newest first.
pub(crate) struct FindInvoices {
    pub(crate) database: Database,
    pub(crate) invoices: Arc<dyn InvoiceRepository>,
}

impl FindInvoices {
    pub(crate) async fn one(&self, principal: &Principal, id: InvoiceId) -> PortResult<Option<Invoice>> {
        self.database.tenant(principal.tenant).read(async |tx| self.invoices.find(tx, id).await).await
    }

    pub(crate) async fn page(
        &self,
        principal: &Principal,
        status: Option<Status>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> PortResult<Vec<Invoice>> {
        let database = self.database.tenant(principal.tenant);
        database.read(async |tx| self.invoices.page(tx, status, after, limit).await).await
    }
}
