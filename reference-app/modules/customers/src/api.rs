//! What other modules may use of customers.

use std::fmt;

use async_trait::async_trait;
use dolmen::{PortResult, ReadTx};

pub use crate::domain::CustomerId;

/// What others see of a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CustomerSummary {
    /// The customer.
    pub id: CustomerId,
    /// The name.
    pub name: String,
    /// Where mail goes.
    pub email: String,
}

impl CustomerSummary {
    /// What others see of a customer.
    pub fn new(id: CustomerId, name: impl Into<String>, email: impl Into<String>) -> Self {
        Self { id, name: name.into(), email: email.into() }
    }
}

/// Questions that other modules may ask, in a transaction of theirs and about its tenant.
#[async_trait]
pub trait Customers: fmt::Debug + Send + Sync + 'static {
    /// The customer, when the transaction's tenant has it.
    async fn find(&self, tx: &mut ReadTx, id: CustomerId) -> PortResult<Option<CustomerSummary>>;
}
