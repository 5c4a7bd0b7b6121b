//! Telling the customer that an invoice was issued. Shows each way a job can end.

use std::sync::Arc;

use customers::api::CustomerSummary;
use dolmen::{Email, EventHandler, JobContext, JobError, MailAddress, PortResult};
use invoices::api::InvoiceIssued;

use crate::domain::InvoiceMail;
use crate::ports::{NotificationsPorts, SentMail, SentMailRepository};

/// Sends one mail per issued invoice.
///
/// A mail is not a database effect: if the process dies between sending and completing, the mail is sent again, with the
/// same `Message-ID`. What the database says about it is there exactly once.
#[derive(Debug)]
pub(crate) struct SendInvoiceMail {
    pub(crate) ports: NotificationsPorts,
    pub(crate) sent: Arc<dyn SentMailRepository>,
}

impl EventHandler<InvoiceIssued> for SendInvoiceMail {
    async fn on(&self, event: InvoiceIssued, context: JobContext) -> Result<(), JobError> {
        let (customer, seller) = self.addressee(&event, &context).await?;
        // Nobody to write to any more: no one needs to look at this.
        let Some(customer) = customer else { return Err(JobError::discard("the customer is gone")) };
        // An address that cannot work needs a person: a dead letter.
        let to = MailAddress::parse(&customer.email).map_err(JobError::bury)?;
        let mail = InvoiceMail {
            seller: &seller,
            customer: &customer.name,
            number: event.number,
            currency: &event.currency,
            total_minor: event.total_minor,
        };
        let key = format!("invoice-issued-{}", event.invoice);
        // A mail server that is down or slow passes: `?` retries with back-off.
        self.ports
            .mailer
            .send(&Email::new(self.ports.from.clone(), to, mail.subject(), mail.text(), key))
            .await?;
        let sent = SentMail {
            job: context.id(),
            invoice: event.invoice,
            recipient: customer.email,
            sent_at: self.ports.clock.now(),
        };
        context.complete(async |tx| self.sent.insert(tx, &sent).await).await?;
        Ok(())
    }
}

impl SendInvoiceMail {
    async fn addressee(
        &self,
        event: &InvoiceIssued,
        context: &JobContext,
    ) -> PortResult<(Option<CustomerSummary>, String)> {
        let tenant = context.tenant()?;
        self.ports
            .database
            .tenant(tenant)
            .read(async |tx| {
                let customer = self.ports.customers.find(tx, event.customer).await?;
                Ok((customer, self.ports.accounts.tenant_name(tx).await?))
            })
            .await
    }
}
