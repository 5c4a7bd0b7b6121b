//! What the application does with customers: one use case per file.

mod add_customer;
mod change_customer;
mod find_customers;

use std::sync::Arc;

pub(crate) use add_customer::AddCustomerError;
pub(crate) use change_customer::ChangeCustomerError;

use crate::ports::{CustomerRepository, CustomersPorts};

/// The use cases and what they work with.
#[derive(Debug)]
pub(crate) struct UseCases {
    pub(crate) ports: CustomersPorts,
    pub(crate) customers: Arc<dyn CustomerRepository>,
}
