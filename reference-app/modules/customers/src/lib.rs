//! Customers: who gets invoices.
//!
//! Owns the table `customers_customer`.

mod adapters;
pub mod api;
mod application;
mod domain;
mod module;
mod ports;
#[cfg(test)]
mod tests;

pub use module::{CustomersModule, CustomersPorts};
