//! Rules about invoices: no database, no HTTP, no clock.

mod invoice;
mod line;

pub(crate) use invoice::{Invoice, NewInvoice, RefusedTransition, Status};
pub(crate) use line::{InvalidContent, Line};
