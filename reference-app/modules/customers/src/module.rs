//! The table of contents of this module.

use std::sync::Arc;

use dolmen::{
    AuditLog, Clock, Database, IdGenerator, MigrationSet, Module, ModuleName, Registrar, migrations,
};
use dolmen_poem::ApiExt;

use crate::adapters::facade::CustomersFacade;
use crate::adapters::http::CustomersHttp;
use crate::adapters::sql::SqlCustomers;
use crate::api::Customers;
use crate::application::{AddCustomer, ChangeCustomer, FindCustomers};
use crate::ports::CustomerRepository;

const NAME: ModuleName = ModuleName::new("customers");
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_customers");

/// The ports that customers need.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct CustomersPorts {
    /// Where customers are kept.
    pub database: Database,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// Customers as a module.
pub struct CustomersModule {
    ports: CustomersPorts,
    customers: Arc<dyn CustomerRepository>,
}

impl CustomersModule {
    /// Customers on these ports.
    pub fn new(mut ports: CustomersPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { ports, customers: Arc::new(SqlCustomers) }
    }

    /// What other modules may ask.
    pub fn api(&self) -> Arc<dyn Customers> {
        Arc::new(CustomersFacade(Arc::clone(&self.customers)))
    }

    fn http(&self) -> CustomersHttp {
        let CustomersPorts { database, audit, clock, ids } = self.ports.clone();
        let customers = Arc::clone(&self.customers);
        CustomersHttp {
            find: FindCustomers { database: database.clone(), customers: Arc::clone(&customers) },
            add: AddCustomer {
                database: database.clone(),
                customers: Arc::clone(&customers),
                audit: Arc::clone(&audit),
                clock: Arc::clone(&clock),
                ids: Arc::clone(&ids),
            },
            change: ChangeCustomer { database, customers, audit, clock, ids },
        }
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
        registrar.api(self.http());
    }
}
