//! The table of contents of this module.

use std::sync::Arc;

use customers::api::Customers;
use dolmen::{
    AuditLog, Clock, Database, EventPublisher, IdGenerator, Inbox, MigrationSet, Module, ModuleName,
    Registrar, migrations,
};
use dolmen_poem::ApiExt;

use crate::adapters::facade::InvoicesFacade;
use crate::adapters::http::InvoicesHttp;
use crate::adapters::sql::SqlInvoices;
use crate::api::{InvoiceIssued, Invoices};
use crate::application::{
    CancelInvoice, ChangeInvoice, CreateInvoice, FindInvoices, IssueInvoice, PayInvoice,
};
use crate::ports::InvoiceRepository;

const NAME: ModuleName = ModuleName::new("invoices");
const REQUIRES: &[ModuleName] = &[ModuleName::new("customers")];
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_invoices");

/// The ports that invoices need.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct InvoicesPorts {
    /// Where invoices are kept.
    pub database: Database,
    /// Who the customers are.
    pub customers: Arc<dyn Customers>,
    /// Tells others what happened.
    pub events: EventPublisher,
    /// Requests that were handled.
    pub inbox: Arc<dyn Inbox>,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// Invoices as a module.
pub struct InvoicesModule {
    ports: InvoicesPorts,
    invoices: Arc<dyn InvoiceRepository>,
}

impl InvoicesModule {
    /// Invoices on these ports.
    pub fn new(mut ports: InvoicesPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { ports, invoices: Arc::new(SqlInvoices) }
    }

    /// What other modules may ask.
    pub fn api(&self) -> Arc<dyn Invoices> {
        Arc::new(InvoicesFacade(Arc::clone(&self.invoices)))
    }

    fn http(&self) -> InvoicesHttp {
        let InvoicesPorts { database, customers, events, inbox, audit, clock, ids } = self.ports.clone();
        let invoices = Arc::clone(&self.invoices);
        let change = ChangeInvoice {
            database: database.clone(),
            invoices: Arc::clone(&invoices),
            audit: Arc::clone(&audit),
            clock: Arc::clone(&clock),
            ids: Arc::clone(&ids),
        };
        InvoicesHttp {
            create: CreateInvoice {
                database: database.clone(),
                invoices: Arc::clone(&invoices),
                customers,
                inbox,
                audit: Arc::clone(&audit),
                clock: Arc::clone(&clock),
                ids: Arc::clone(&ids),
            },
            find: FindInvoices { database: database.clone(), invoices: Arc::clone(&invoices) },
            issue: IssueInvoice { database, invoices, events, audit, clock, ids },
            pay: PayInvoice(change.clone()),
            cancel: CancelInvoice(change),
        }
    }
}

impl Module for InvoicesModule {
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
        registrar.event::<InvoiceIssued>();
        registrar.api(self.http());
    }
}
