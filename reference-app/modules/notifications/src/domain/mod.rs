//! What a mail about an invoice says.

mod invoice_mail;

pub(crate) use invoice_mail::InvoiceMail;
