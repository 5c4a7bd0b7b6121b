//! What the application does to notify: one use case per file.

mod send_invoice_mail;

pub(crate) use send_invoice_mail::SendInvoiceMail;
