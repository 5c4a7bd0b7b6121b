//! Issuing: number, status, event and audit in one transaction.

use std::sync::Arc;

use dolmen::{Actor, AuditEntry, AuditLog, Clock, Database, EventPublisher, IdGenerator, Principal};

use super::change_invoice::ChangeInvoiceError;
use crate::api::{InvoiceId, InvoiceIssued};
use crate::domain::Invoice;
use crate::ports::InvoiceRepository;

/// draft → issued, under the tenant's next number.
pub(crate) struct IssueInvoice {
    pub(crate) database: Database,
    pub(crate) invoices: Arc<dyn InvoiceRepository>,
    pub(crate) events: EventPublisher,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl IssueInvoice {
    pub(crate) async fn run(
        &self,
        principal: &Principal,
        id: InvoiceId,
    ) -> Result<Invoice, ChangeInvoiceError> {
        let now = self.clock.now();
        self.database
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
                self.events.publish(tx, &issued).await?;
                let target = format!("invoice/{id}");
                let entry = AuditEntry::new(
                    self.ids.next(),
                    now,
                    Actor::User(principal.user),
                    "invoices.issue_invoice",
                    target,
                );
                self.audit.record(tx, &entry).await?;
                Ok(invoice)
            })
            .await
    }
}
