//! Tests of this module: its statements, and what a search finds on real databases.

use dolmen::{PortResult, TenantId, Timestamp, Uuid};
use dolmen_sql::test_database::TestDatabase;

use crate::adapters::sql::SqlCustomers;
use crate::api::CustomerId;
use crate::domain::{Customer, Details};
use crate::ports::CustomerRepository;

#[test]
fn statements_parse_in_every_dialect_and_touch_only_own_tables() {
    let found = dolmen_sql::check_statements!().unwrap();
    assert_eq!(Vec::from_iter(found.tables), ["customers_customer"]);
}

const TENANT: TenantId = TenantId::new(Uuid::from_u128(1));

fn customer(id: u128, name: &str) -> Customer {
    let details = Details { name: name.into(), email: "a@example.com".into(), address: "x".into() };
    Customer::new(CustomerId::new(Uuid::from_u128(id)), details, Timestamp::UNIX_EPOCH).unwrap()
}

#[tokio::test]
async fn a_search_finds_letters_as_they_are() {
    for place in TestDatabase::on_each().await.unwrap() {
        let database = place.open_as_module(crate::module::MIGRATIONS).await.unwrap();
        let scoped = database.tenant(TENANT);
        for (id, name) in [(1, "100% Granite"), (2, "ÄRGER_Stone"), (3, "Plain"), (4, "1000 Stones")] {
            let inserted: PortResult<()> =
                scoped.write(async |tx| SqlCustomers.insert(tx, &customer(id, name)).await).await;
            inserted.unwrap();
        }
        for (search, expected) in
            [("100%", &[1][..]), ("r_s", &[2]), ("ärger", &[2]), ("stone", &[4, 2]), ("!", &[])]
        {
            let found: PortResult<Vec<Customer>> =
                scoped.read(async |tx| SqlCustomers.page(tx, Some(search), None, 10).await).await;
            let ids: Vec<u128> =
                found.unwrap().iter().map(|customer| customer.id.as_uuid().as_u128()).collect();
            assert_eq!(ids, expected, "{search} on {}", database.backend());
        }
        place.remove(&database).await;
    }
}

#[tokio::test]
async fn a_customer_is_replaced_once_per_version_and_in_its_tenant_only() {
    for place in TestDatabase::on_each().await.unwrap() {
        let database = place.open_as_module(crate::module::MIGRATIONS).await.unwrap();
        let scoped = database.tenant(TENANT);
        let stored = customer(1, "Plain");
        let replaced: PortResult<(bool, bool, Option<Customer>)> = scoped
            .write(async |tx| {
                SqlCustomers.insert(tx, &stored).await?;
                assert_eq!(SqlCustomers.find(tx, stored.id).await?, Some(stored.clone()));
                let next = customer(1, "Polished");
                let first = SqlCustomers.replace(tx, &next).await?;
                let second = SqlCustomers.replace(tx, &next).await?;
                Ok((first, second, SqlCustomers.find(tx, stored.id).await?))
            })
            .await;
        let (first, second, found) = replaced.unwrap();
        assert_eq!((first, second), (true, false), "{}", database.backend());
        assert_eq!(found.unwrap().details.name, "Polished");
        let elsewhere: PortResult<Option<Customer>> = database
            .tenant(TenantId::new(Uuid::from_u128(2)))
            .read(async |tx| SqlCustomers.find(tx, stored.id).await)
            .await;
        assert_eq!(elsewhere.unwrap(), None);
        place.remove(&database).await;
    }
}
