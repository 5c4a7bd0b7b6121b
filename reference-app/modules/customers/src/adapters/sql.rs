//! Customers in SQL. Table: `customers_customer`.

use async_trait::async_trait;
use dolmen::{PortResult, ReadTx, WriteTx};
use dolmen_sql::{FromRow, Row, sql};

use crate::api::CustomerId;
use crate::domain::{Customer, Details};
use crate::ports::CustomerRepository;

/// The customers of the application's database.
#[derive(Debug, Default)]
pub(crate) struct SqlCustomers;

impl FromRow for Customer {
    fn from_row(row: &Row) -> PortResult<Self> {
        Ok(Self {
            id: CustomerId::new(row.get("id")?),
            details: Details {
                name: row.get("name")?,
                email: row.get("email")?,
                address: row.get("address")?,
            },
            created_at: row.get("created_at")?,
            version: row.get("version")?,
        })
    }
}

#[async_trait]
impl CustomerRepository for SqlCustomers {
    async fn insert(&self, tx: &mut WriteTx, customer: &Customer) -> PortResult<()> {
        let Customer { id, details, created_at, version } = customer;
        sql!(
            "insert into customers_customer (tenant, id, name, email, address, search_text, created_at, version)
             values (?, ?, ?, ?, ?, ?, ?, ?)",
            tx.tenant()?.as_uuid(),
            id.as_uuid(),
            &details.name,
            &details.email,
            &details.address,
            details.search_text(),
            *created_at,
            *version,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn find(&self, tx: &mut ReadTx, id: CustomerId) -> PortResult<Option<Customer>> {
        sql!(
            "select id, name, email, address, created_at, version from customers_customer where tenant = ? and id = ?",
            tx.tenant()?.as_uuid(),
            id.as_uuid(),
        )
        .fetch_optional(tx)
        .await
    }

    async fn replace(&self, tx: &mut WriteTx, customer: &Customer) -> PortResult<bool> {
        let Customer { id, details, version, .. } = customer;
        let rows = sql!(
            "update customers_customer
             set name = ?, email = ?, address = ?, search_text = ?, version = version + 1
             where tenant = ? and id = ? and version = ?",
            &details.name,
            &details.email,
            &details.address,
            details.search_text(),
            tx.tenant()?.as_uuid(),
            id.as_uuid(),
            *version,
        )
        .execute(tx)
        .await?;
        Ok(rows == 1)
    }

    async fn page(
        &self,
        tx: &mut ReadTx,
        search: Option<&str>,
        after: Option<CustomerId>,
        limit: u32,
    ) -> PortResult<Vec<Customer>> {
        let pattern = search.map(pattern_of);
        let after = after.map(CustomerId::as_uuid);
        sql!(
            "select id, name, email, address, created_at, version from customers_customer
             where tenant = ? and (? is null or search_text like ? escape '!') and (? is null or id < ?)
             order by id desc limit ?",
            tx.tenant()?.as_uuid(),
            pattern.clone(),
            pattern,
            after,
            after,
            limit,
        )
        .fetch_all(tx)
        .await
    }
}

/// A `like` pattern that finds `text` letter for letter.
fn pattern_of(text: &str) -> String {
    let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{escaped}%")
}
