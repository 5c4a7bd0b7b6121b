//! What other modules may use of invoices.

use std::fmt;

use async_trait::async_trait;
use customers::api::CustomerId;
use dolmen::{Event, PortResult, ReadTx, Timestamp};
use serde::{Deserialize, Serialize};

pub use crate::domain::{InvoiceId, Revenue};

/// An invoice was issued: it has its number, and its customer owes its total.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InvoiceIssued {
    /// The invoice.
    pub invoice: InvoiceId,
    /// Who owes.
    pub customer: CustomerId,
    /// Its number, without gaps per tenant.
    pub number: i64,
    /// ISO 4217.
    pub currency: String,
    /// The total in the currency's smallest unit.
    pub total_minor: i64,
    /// When it was issued.
    pub issued_at: Timestamp,
}

impl Event for InvoiceIssued {
    const NAME: &'static str = "invoices.invoice_issued.v1";
}

/// Questions that other modules may ask, in a transaction of theirs and about its tenant.
#[async_trait]
pub trait Invoices: fmt::Debug + Send + Sync + 'static {
    /// The revenue of invoices issued in `from..to` and not cancelled, by currency in order.
    async fn revenue(&self, tx: &mut ReadTx, from: Timestamp, to: Timestamp) -> PortResult<Vec<Revenue>>;
}
