//! Reading customers.

use dolmen::{PortResult, Principal, ReadFrom, ReadTx};

use super::UseCases;
use crate::api::CustomerId;
use crate::domain::Customer;

impl UseCases {
    pub(crate) async fn find_customer(
        &self,
        principal: &Principal,
        id: CustomerId,
    ) -> PortResult<Option<Customer>> {
        self.ports.database.tenant(principal.tenant).read(async |tx| self.customers.find(tx, id).await).await
    }

    /// A page of the customers that a search finds, newest first. It may be a little behind, except for what the caller
    /// itself wrote.
    pub(crate) async fn list_customers(
        &self,
        principal: &Principal,
        search: Option<&str>,
        after: Option<CustomerId>,
        limit: u32,
    ) -> PortResult<Vec<Customer>> {
        let search = search.map(str::trim).filter(|text| !text.is_empty()).map(str::to_lowercase);
        let database = self.ports.database.tenant(principal.tenant);
        let page = async |tx: &mut ReadTx| self.customers.page(tx, search.as_deref(), after, limit).await;
        database.read_from(ReadFrom::Replica, page).await
    }
}
