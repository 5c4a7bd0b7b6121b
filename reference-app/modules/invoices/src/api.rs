//! What other modules may use of invoices.

use async_trait::async_trait;
use customers::api::CustomerId;
use dolmen::{Event, PortResult, ReadTx, Timestamp};
use serde::{Deserialize, Serialize};

dolmen::define_id! {
    /// Identifies an invoice.
    pub struct InvoiceId;
}

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

/// The revenue of one currency in a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Revenue {
    /// ISO 4217.
    pub currency: String,
    /// How many invoices were issued and not cancelled.
    pub invoices: i64,
    /// Their total in the currency's smallest unit.
    pub total_minor: i64,
}

impl Revenue {
    /// Revenue of a currency.
    pub fn new(currency: impl Into<String>, invoices: i64, total_minor: i64) -> Self {
        Self { currency: currency.into(), invoices, total_minor }
    }
}

/// Questions that other modules may ask, in a transaction of theirs and about its tenant.
#[async_trait]
pub trait Invoices: Send + Sync + 'static {
    /// The revenue of invoices issued in `from..to` and not cancelled, by currency in order.
    async fn revenue(&self, tx: &mut ReadTx, from: Timestamp, to: Timestamp) -> PortResult<Vec<Revenue>>;
}
