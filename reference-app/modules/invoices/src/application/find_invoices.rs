//! Reading invoices.

use dolmen::{PortResult, Principal};

use super::UseCases;
use crate::api::InvoiceId;
use crate::domain::{Invoice, Status};

impl UseCases {
    pub(crate) async fn find_invoice(
        &self,
        principal: &Principal,
        id: InvoiceId,
    ) -> PortResult<Option<Invoice>> {
        self.ports.database.tenant(principal.tenant).read(async |tx| self.invoices.find(tx, id).await).await
    }

    /// A page of invoices, newest first.
    pub(crate) async fn list_invoices(
        &self,
        principal: &Principal,
        status: Option<Status>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> PortResult<Vec<Invoice>> {
        let database = self.ports.database.tenant(principal.tenant);
        database.read(async |tx| self.invoices.page(tx, status, after, limit).await).await
    }
}
