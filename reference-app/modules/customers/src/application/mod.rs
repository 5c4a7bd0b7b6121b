//! What the application does with customers: one use case per file.

mod add_customer;
mod change_customer;
mod find_customers;

pub(crate) use add_customer::{AddCustomer, AddCustomerError};
pub(crate) use change_customer::{ChangeCustomer, ChangeCustomerError};
pub(crate) use find_customers::FindCustomers;
