//! Paying and cancelling: a status and its audit row.

use dolmen::{PortError, Principal, Retryable};

use super::UseCases;
use crate::api::InvoiceId;
use crate::domain::{Invoice, RefusedTransition};

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

type Step = fn(&mut Invoice) -> Result<(), RefusedTransition>;

impl UseCases {
    /// issued → paid.
    pub(crate) async fn pay_invoice(
        &self,
        principal: &Principal,
        id: InvoiceId,
    ) -> Result<Invoice, ChangeInvoiceError> {
        self.change(principal, id, "invoices.pay_invoice", Invoice::pay).await
    }

    /// draft or issued → cancelled.
    pub(crate) async fn cancel_invoice(
        &self,
        principal: &Principal,
        id: InvoiceId,
    ) -> Result<Invoice, ChangeInvoiceError> {
        self.change(principal, id, "invoices.cancel_invoice", Invoice::cancel).await
    }

    async fn change(
        &self,
        principal: &Principal,
        id: InvoiceId,
        action: &'static str,
        step: Step,
    ) -> Result<Invoice, ChangeInvoiceError> {
        self.ports
            .database
            .tenant(principal.tenant)
            .write(async |tx| {
                let mut invoice =
                    self.invoices.find_for_update(tx, id).await?.ok_or(ChangeInvoiceError::NotFound)?;
                step(&mut invoice)?;
                self.invoices.save(tx, &invoice).await?;
                self.ports.audit.record(tx, principal.actor(), action, format!("invoice/{id}")).await?;
                Ok(invoice)
            })
            .await
    }
}
