//! Drafting an invoice, once per key of the sender.

use dolmen::{ErrorKind, InboxKey, InboxState, PortError, PortResult, Principal, Retryable, Uuid, WriteTx};

use super::UseCases;
use crate::api::InvoiceId;
use crate::domain::{InvalidContent, Invoice, NewInvoice};

const CONSUMER: &str = "invoices.create_invoice";

/// Why an invoice was not drafted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CreateInvoiceError {
    #[error("the tenant has no such customer")]
    UnknownCustomer,
    #[error("the key came with another content before")]
    KeyReused,
    #[error(transparent)]
    Invalid(#[from] InvalidContent),
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Retryable for CreateInvoiceError {
    fn port_error(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::UnknownCustomer | Self::KeyReused | Self::Invalid(_) => None,
        }
    }
}

impl UseCases {
    /// Drafts an invoice for a customer of the tenant. `fingerprint` stands for the content: the same key with another one is refused.
    pub(crate) async fn create_invoice(
        &self,
        principal: &Principal,
        key: &str,
        fingerprint: [u8; 32],
        new: NewInvoice,
    ) -> Result<Invoice, CreateInvoiceError> {
        let key = InboxKey::new(CONSUMER, key);
        let draft = Invoice::draft(InvoiceId::new(self.ports.ids.next()), new, self.ports.clock.now())?;
        self.ports
            .database
            .tenant(principal.tenant)
            .write(async |tx| match self.ports.inbox.claim(tx, &key, fingerprint).await? {
                InboxState::Done { fingerprint: first, .. } if first != fingerprint => {
                    Err(CreateInvoiceError::KeyReused)
                }
                InboxState::Done { outcome, .. } => Ok(self.first_result(tx, &outcome).await?),
                _ => {
                    self.store(tx, principal, &draft).await?;
                    self.ports.inbox.record(tx, &key, draft.id.as_uuid().as_bytes()).await?;
                    Ok(draft.clone())
                }
            })
            .await
    }

    async fn store(
        &self,
        tx: &mut WriteTx,
        principal: &Principal,
        draft: &Invoice,
    ) -> Result<(), CreateInvoiceError> {
        if self.ports.customers.find(tx, draft.customer).await?.is_none() {
            return Err(CreateInvoiceError::UnknownCustomer);
        }
        self.invoices.insert(tx, draft).await?;
        Ok(self.ports.audit.record(tx, principal.actor(), CONSUMER, format!("invoice/{}", draft.id)).await?)
    }

    /// What the first request with this key was told, though the invoice may have moved on since.
    async fn first_result(&self, tx: &mut WriteTx, outcome: &[u8]) -> PortResult<Invoice> {
        let lost = || PortError::new(ErrorKind::Internal, "inbox", "read the first result");
        let id = Uuid::from_slice(outcome).map_err(|error| lost().with_source(error))?;
        let invoice = self.invoices.find(tx, InvoiceId::new(id)).await?.ok_or_else(lost)?;
        Ok(invoice.into_draft())
    }
}
