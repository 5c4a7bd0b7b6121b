//! Issuing: number, status, event and audit in one transaction.

use dolmen::Principal;

use super::{ChangeInvoiceError, UseCases};
use crate::api::{InvoiceId, InvoiceIssued};
use crate::domain::Invoice;

impl UseCases {
    /// draft → issued, under the tenant's next number.
    pub(crate) async fn issue_invoice(
        &self,
        principal: &Principal,
        id: InvoiceId,
    ) -> Result<Invoice, ChangeInvoiceError> {
        let now = self.ports.clock.now();
        self.ports
            .database
            .tenant(principal.tenant)
            .write(async |tx| {
                let mut invoice =
                    self.invoices.find_for_update(tx, id).await?.ok_or(ChangeInvoiceError::NotFound)?;
                invoice.check_issue()?;
                let number = self.invoices.next_number(tx).await?;
                invoice.issue(number, now)?;
                self.invoices.save(tx, &invoice).await?;
                let issued = InvoiceIssued {
                    invoice: id,
                    customer: invoice.customer,
                    number,
                    currency: invoice.currency.clone(),
                    total_minor: invoice.total_minor,
                    issued_at: now,
                };
                self.ports.events.publish(tx, &issued).await?;
                let target = format!("invoice/{id}");
                self.ports.audit.record(tx, principal.actor(), "invoices.issue_invoice", target).await?;
                Ok(invoice)
            })
            .await
    }
}
