//! What customers need from outside: a place to keep them.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{AuditTrail, Clock, Database, IdGenerator, PortResult, ReadTx, WriteTx};

use crate::domain::{Customer, CustomerId};

/// Keeps customers of the transaction's tenant.
///
/// # Contract
/// - `CR-1` Customers of other tenants are neither seen nor changed.
/// - `CR-2` `replace` succeeds only if the stored version is the one given; it raises it by one. `false` otherwise.
/// - `CR-3` `page` is newest first, goes on after the given customer, and holds only customers whose search text
///   contains `search`, letter for letter: `%` and `_` are letters.
#[async_trait]
pub(crate) trait CustomerRepository: fmt::Debug + Send + Sync + 'static {
    async fn insert(&self, tx: &mut WriteTx, customer: &Customer) -> PortResult<()>;
    async fn find(&self, tx: &mut ReadTx, id: CustomerId) -> PortResult<Option<Customer>>;
    /// Stores the details of `customer` where its version is `customer.version`.
    async fn replace(&self, tx: &mut WriteTx, customer: &Customer) -> PortResult<bool>;
    async fn page(
        &self,
        tx: &mut ReadTx,
        search: Option<&str>,
        after: Option<CustomerId>,
        limit: u32,
    ) -> PortResult<Vec<Customer>>;
}

/// The ports that customers need.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct CustomersPorts {
    /// Where customers are kept.
    pub database: Database,
    /// Who did what.
    pub audit: AuditTrail,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
}
