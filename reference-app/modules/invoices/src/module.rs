//! The table of contents of this module.

use std::sync::Arc;

use dolmen::{MigrationSet, Module, ModuleName, Registrar, migrations};
use dolmen_poem::ApiExt;

use crate::adapters::facade::InvoicesFacade;
use crate::adapters::http::InvoicesHttp;
use crate::adapters::sql::SqlInvoices;
use crate::api::{InvoiceIssued, Invoices};
use crate::application::UseCases;
pub use crate::ports::InvoicesPorts;

const NAME: ModuleName = ModuleName::new("invoices");
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_invoices");

/// Invoices as a module.
#[derive(Debug)]
pub struct InvoicesModule {
    use_cases: Arc<UseCases>,
}

impl InvoicesModule {
    /// Invoices on these ports.
    pub fn new(mut ports: InvoicesPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { use_cases: Arc::new(UseCases { ports, invoices: Arc::new(SqlInvoices) }) }
    }

    /// What other modules may ask.
    pub fn api(&self) -> Arc<dyn Invoices> {
        Arc::new(InvoicesFacade(Arc::clone(&self.use_cases.invoices)))
    }
}

impl Module for InvoicesModule {
    fn name(&self) -> ModuleName {
        NAME
    }

    fn requires(&self) -> &'static [ModuleName] {
        const { &[ModuleName::new("customers")] }
    }

    fn migrations(&self) -> MigrationSet {
        MIGRATIONS
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.event::<InvoiceIssued>();
        registrar.api(InvoicesHttp(Arc::clone(&self.use_cases)));
    }
}
