//! The table of contents of this module.

use std::sync::Arc;

use dolmen::{MigrationSet, Module, ModuleName, Registrar, migrations};
use invoices::api::InvoiceIssued;

use crate::adapters::sql::SqlSentMails;
use crate::application::SendInvoiceMail;
pub use crate::ports::NotificationsPorts;
use crate::ports::SentMailRepository;

const NAME: ModuleName = ModuleName::new("notifications");
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_notifications");

/// Notifications as a module.
#[derive(Debug)]
pub struct NotificationsModule {
    pub(crate) ports: NotificationsPorts,
    pub(crate) sent: Arc<dyn SentMailRepository>,
}

impl NotificationsModule {
    /// Notifications on these ports.
    pub fn new(mut ports: NotificationsPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { ports, sent: Arc::new(SqlSentMails) }
    }
}

impl Module for NotificationsModule {
    fn name(&self) -> ModuleName {
        NAME
    }

    fn requires(&self) -> &'static [ModuleName] {
        const { &[ModuleName::new("accounts"), ModuleName::new("customers"), ModuleName::new("invoices")] }
    }

    fn migrations(&self) -> MigrationSet {
        MIGRATIONS
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        let send = SendInvoiceMail { ports: self.ports.clone(), sent: Arc::clone(&self.sent) };
        registrar.subscribe::<InvoiceIssued>("send_invoice_mail", send);
    }
}
