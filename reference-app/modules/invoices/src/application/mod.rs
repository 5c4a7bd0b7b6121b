//! What the application does with invoices: one use case per file.

mod change_invoice;
mod create_invoice;
mod find_invoices;
mod issue_invoice;

use std::sync::Arc;

pub(crate) use change_invoice::ChangeInvoiceError;
pub(crate) use create_invoice::CreateInvoiceError;

use crate::ports::{InvoiceRepository, InvoicesPorts};

/// The use cases and what they work with.
#[derive(Debug)]
pub(crate) struct UseCases {
    pub(crate) ports: InvoicesPorts,
    pub(crate) invoices: Arc<dyn InvoiceRepository>,
}
