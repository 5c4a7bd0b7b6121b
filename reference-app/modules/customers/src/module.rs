//! The table of contents of this module.

use std::sync::Arc;

use dolmen::{MigrationSet, Module, ModuleName, Registrar, migrations};
use dolmen_poem::ApiExt;

use crate::adapters::facade::CustomersFacade;
use crate::adapters::http::CustomersHttp;
use crate::adapters::sql::SqlCustomers;
use crate::api::Customers;
use crate::application::UseCases;
pub use crate::ports::CustomersPorts;

const NAME: ModuleName = ModuleName::new("customers");
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_customers");

/// Customers as a module.
#[derive(Debug)]
pub struct CustomersModule {
    use_cases: Arc<UseCases>,
}

impl CustomersModule {
    /// Customers on these ports.
    pub fn new(mut ports: CustomersPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { use_cases: Arc::new(UseCases { ports, customers: Arc::new(SqlCustomers) }) }
    }

    /// What other modules may ask.
    pub fn api(&self) -> Arc<dyn Customers> {
        Arc::new(CustomersFacade(Arc::clone(&self.use_cases.customers)))
    }
}

impl Module for CustomersModule {
    fn name(&self) -> ModuleName {
        NAME
    }

    fn migrations(&self) -> MigrationSet {
        MIGRATIONS
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.api(CustomersHttp(Arc::clone(&self.use_cases)));
    }
}
