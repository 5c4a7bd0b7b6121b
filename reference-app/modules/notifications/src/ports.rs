//! What notifications need from outside, besides the mail port: a memory of what was sent.

use async_trait::async_trait;
use dolmen::{JobId, PortResult, Timestamp, WriteTx};
use invoices::api::InvoiceId;

/// A mail that the next hop took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SentMail {
    /// The job that sent it.
    pub(crate) job: JobId,
    pub(crate) invoice: InvoiceId,
    pub(crate) recipient: String,
    pub(crate) sent_at: Timestamp,
}

/// Remembers what was sent for the transaction's tenant.
#[async_trait]
pub(crate) trait SentMailRepository: Send + Sync + 'static {
    async fn insert(&self, tx: &mut WriteTx, mail: &SentMail) -> PortResult<()>;
}
