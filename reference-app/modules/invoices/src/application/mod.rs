//! What the application does with invoices: one use case per file.

mod change_invoice;
mod create_invoice;
mod find_invoices;
mod issue_invoice;

pub(crate) use change_invoice::{CancelInvoice, ChangeInvoice, ChangeInvoiceError, PayInvoice};
pub(crate) use create_invoice::{CreateInvoice, CreateInvoiceError};
pub(crate) use find_invoices::FindInvoices;
pub(crate) use issue_invoice::IssueInvoice;
