//! What invoices need from outside: a place to keep them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use customers::api::Customers;
use dolmen::{
    AuditTrail, Clock, Database, EventPublisher, IdGenerator, Inbox, PortResult, ReadTx, Timestamp, WriteTx,
};

use crate::domain::{Invoice, InvoiceId, Revenue, Status};

/// Keeps invoices of the transaction's tenant.
///
/// # Contract
/// - `IR-1` Invoices of other tenants are neither seen nor changed.
/// - `IR-2` `next_number` gives 1, 2, 3 … per tenant without a gap: a number drawn by a transaction that rolls back is
///   drawn again.
/// - `IR-3` `find_for_update` keeps other writers of this invoice waiting until the transaction ends.
/// - `IR-4` `page` is newest first and goes on after the given invoice.
#[async_trait]
pub(crate) trait InvoiceRepository: fmt::Debug + Send + Sync + 'static {
    async fn insert(&self, tx: &mut WriteTx, invoice: &Invoice) -> PortResult<()>;
    async fn find(&self, tx: &mut ReadTx, id: InvoiceId) -> PortResult<Option<Invoice>>;
    async fn find_for_update(&self, tx: &mut WriteTx, id: InvoiceId) -> PortResult<Option<Invoice>>;
    /// Stores status, number and time of issue; the content of an invoice never changes.
    async fn save(&self, tx: &mut WriteTx, invoice: &Invoice) -> PortResult<()>;
    async fn next_number(&self, tx: &mut WriteTx) -> PortResult<i64>;
    async fn page(
        &self,
        tx: &mut ReadTx,
        status: Option<Status>,
        after: Option<InvoiceId>,
        limit: u32,
    ) -> PortResult<Vec<Invoice>>;
    async fn revenue(&self, tx: &mut ReadTx, from: Timestamp, to: Timestamp) -> PortResult<Vec<Revenue>>;
}

/// The ports that invoices need.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct InvoicesPorts {
    /// Where invoices are kept.
    pub database: Database,
    /// Who the customers are.
    pub customers: Arc<dyn Customers>,
    /// Tells others what happened.
    pub events: EventPublisher,
    /// Requests that were handled.
    pub inbox: Arc<dyn Inbox>,
    /// Who did what.
    pub audit: AuditTrail,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
}
