//! Rules about customers: no database, no HTTP, no clock.

mod customer;

pub use customer::CustomerId;
pub(crate) use customer::{Customer, Details, InvalidDetails};
