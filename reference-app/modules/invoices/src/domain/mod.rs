//! Rules about invoices: no database, no HTTP, no clock.

mod invoice;
mod line;
mod revenue;

pub use invoice::InvoiceId;
pub(crate) use invoice::{Invoice, NewInvoice, RefusedTransition, Status};
pub(crate) use line::{InvalidContent, Line};
pub use revenue::Revenue;
