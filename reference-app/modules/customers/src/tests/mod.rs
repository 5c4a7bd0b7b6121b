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

async fn a_search_finds_letters_as_they_are(place: TestDatabase) {
    let database = place.open(&[crate::module::MIGRATIONS]).await.unwrap();
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
        let ids: Vec<u128> = found.unwrap().iter().map(|customer| customer.id.as_uuid().as_u128()).collect();
        assert_eq!(ids, expected, "{search}");
    }
    place.remove(&database).await;
}

#[tokio::test]
async fn a_search_finds_letters_as_they_are_on_sqlite() {
    a_search_finds_letters_as_they_are(TestDatabase::sqlite()).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_search_finds_letters_as_they_are_on_postgres() {
    a_search_finds_letters_as_they_are(TestDatabase::postgres().await.unwrap()).await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn a_search_finds_letters_as_they_are_on_mysql() {
    if TestDatabase::has_mysql() {
        a_search_finds_letters_as_they_are(TestDatabase::mysql().await.unwrap()).await;
    }
}
