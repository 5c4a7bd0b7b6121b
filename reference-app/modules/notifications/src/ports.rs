//! What notifications need from outside, besides the mail port: a memory of what was sent.

use std::fmt;
use std::sync::Arc;

use accounts::api::Accounts;
use async_trait::async_trait;
use customers::api::Customers;
use dolmen::{Clock, Database, JobId, MailAddress, Mailer, PortResult, Timestamp, WriteTx};
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
pub(crate) trait SentMailRepository: fmt::Debug + Send + Sync + 'static {
    async fn insert(&self, tx: &mut WriteTx, mail: &SentMail) -> PortResult<()>;
}

/// The ports that notifications need.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct NotificationsPorts {
    /// Where it is kept what was sent.
    pub database: Database,
    /// Who sends: the tenant's name.
    pub accounts: Arc<dyn Accounts>,
    /// Who gets mail.
    pub customers: Arc<dyn Customers>,
    /// Sends it.
    pub mailer: Arc<dyn Mailer>,
    /// The sender's address.
    pub from: MailAddress,
    /// The time.
    pub clock: Arc<dyn Clock>,
}
