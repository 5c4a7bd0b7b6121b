//! Paying and cancelling: a status and its audit row.

use std::sync::Arc;

use dolmen::{Actor, AuditEntry, AuditLog, Clock, Database, IdGenerator, PortError, Principal, Retryable};

use crate::api::InvoiceId;
use crate::domain::{Invoice, RefusedTransition};
use crate::ports::InvoiceRepository;

/// Why an invoice was not issued, paid or cancelled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeInvoiceError {
    #[error("there is no such invoice")]
    NotFound,
    #[error(transparent)]
    Refused(#[from] RefusedTransition),
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Retryable for ChangeInvoiceError {
    fn port_error(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::NotFound | Self::Refused(_) => None,
        }
    }
}

/// issued → paid.
pub(crate) struct PayInvoice(pub(crate) ChangeInvoice);

/// draft or issued → cancelled.
pub(crate) struct CancelInvoice(pub(crate) ChangeInvoice);

impl PayInvoice {
    pub(crate) async fn run(
        &self,
        principal: &Principal,
        id: InvoiceId,
    ) -> Result<Invoice, ChangeInvoiceError> {
        self.0.run(principal, id, "invoices.pay_invoice", Invoice::pay).await
    }
}

impl CancelInvoice {
    pub(crate) async fn run(
        &self,
        principal: &Principal,
        id: InvoiceId,
    ) -> Result<Invoice, ChangeInvoiceError> {
        self.0.run(principal, id, "invoices.cancel_invoice", Invoice::cancel).await
    }
}

/// What both need.
#[derive(Clone)]
pub(crate) struct ChangeInvoice {
    pub(crate) database: Database,
    pub(crate) invoices: Arc<dyn InvoiceRepository>,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

type Step = fn(&mut Invoice) -> Result<(), RefusedTransition>;

impl ChangeInvoice {
    async fn run(
        &self,
        principal: &Principal,
        id: InvoiceId,
        action: &'static str,
        step: Step,
    ) -> Result<Invoice, ChangeInvoiceError> {
        let now = self.clock.now();
        self.database
            .tenant(principal.tenant)
            .write(async |tx| {
                let mut invoice =
                    self.invoices.find_for_update(tx, id).await?.ok_or(ChangeInvoiceError::NotFound)?;
                step(&mut invoice)?;
                self.invoices.save(tx, &invoice).await?;
                let entry = AuditEntry::new(
                    self.ids.next(),
                    now,
                    Actor::User(principal.user),
                    action,
                    format!("invoice/{id}"),
                );
                self.audit.record(tx, &entry).await?;
                Ok(invoice)
            })
            .await
    }
}
