//! The table of contents of this module.

use std::sync::Arc;

use accounts::api::Accounts;
use customers::api::Customers;
use dolmen::{Clock, Database, MailAddress, Mailer, MigrationSet, Module, ModuleName, Registrar, migrations};
use invoices::api::InvoiceIssued;

use crate::adapters::sql::SqlSentMails;
use crate::application::SendInvoiceMail;

const NAME: ModuleName = ModuleName::new("notifications");
const REQUIRES: &[ModuleName] =
    &[ModuleName::new("accounts"), ModuleName::new("customers"), ModuleName::new("invoices")];
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_notifications");

/// The ports that notifications need.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct NotificationsPorts {
    /// Where it is kept what was sent.
    pub database: Database,
    /// Who sends: the tenant's name.
    pub accounts: Arc<dyn Accounts>,
    /// Who gets mail.
    pub customers: Arc<dyn Customers>,
    /// Sends it.
    pub mailer: Arc<dyn Mailer>,
    /// The sender's address.
    pub from: MailAddress,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Notifications as a module.
pub struct NotificationsModule {
    ports: NotificationsPorts,
}

impl NotificationsModule {
    /// Notifications on these ports.
    pub fn new(mut ports: NotificationsPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { ports }
    }

    fn send_invoice_mail(&self) -> SendInvoiceMail {
        let NotificationsPorts { database, accounts, customers, mailer, from, clock } = self.ports.clone();
        SendInvoiceMail { database, customers, accounts, sent: Arc::new(SqlSentMails), mailer, clock, from }
    }
}

impl Module for NotificationsModule {
    fn name(&self) -> ModuleName {
        NAME
    }

    fn requires(&self) -> &'static [ModuleName] {
        REQUIRES
    }

    fn migrations(&self) -> MigrationSet {
        MIGRATIONS
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.subscribe::<InvoiceIssued>("send_invoice_mail", self.send_invoice_mail());
    }
}
