//! Reading customers.

use std::sync::Arc;

use dolmen::{Database, PortResult, Principal};

use crate::api::CustomerId;
use crate::domain::Customer;
use crate::ports::CustomerRepository;

/// One customer, or a page of those that a search finds, newest first.
pub(crate) struct FindCustomers {
    pub(crate) database: Database,
    pub(crate) customers: Arc<dyn CustomerRepository>,
}

impl FindCustomers {
    pub(crate) async fn one(&self, principal: &Principal, id: CustomerId) -> PortResult<Option<Customer>> {
        self.database.tenant(principal.tenant).read(async |tx| self.customers.find(tx, id).await).await
    }

    pub(crate) async fn page(
        &self,
        principal: &Principal,
        search: Option<&str>,
        after: Option<CustomerId>,
        limit: u32,
    ) -> PortResult<Vec<Customer>> {
        let search = search.map(str::trim).filter(|text| !text.is_empty()).map(str::to_lowercase);
        let database = self.database.tenant(principal.tenant);
        database.read(async |tx| self.customers.page(tx, search.as_deref(), after, limit).await).await
    }
}
