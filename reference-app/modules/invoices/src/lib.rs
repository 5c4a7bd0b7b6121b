//! Invoices: draft, issue, pay, cancel; numbers without gaps.
//!
//! Owns the tables `invoices_invoice`, `invoices_line` and `invoices_counter`, and the event
//! `invoices.invoice_issued.v1`.

mod adapters;
pub mod api;
mod application;
mod domain;
mod module;
mod ports;
#[cfg(test)]
mod tests;

pub use module::{InvoicesModule, InvoicesPorts};
