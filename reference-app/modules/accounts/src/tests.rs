//! Tests of this module: its statements, and its repository on real databases.

use dolmen::{ErrorKind, PortResult, TenantId, UserId, Uuid};
use dolmen_sql::test_database::TestDatabase;

use crate::adapters::sql::SqlAccounts;
use crate::domain::{Tenant, User};
use crate::ports::AccountRepository;

#[test]
fn statements_parse_in_every_dialect_and_touch_only_own_tables() {
    let found = dolmen_sql::check_statements!().unwrap();
    assert_eq!(Vec::from_iter(found.tables), ["accounts_tenant", "accounts_user"]);
}

fn tenant() -> Tenant {
    Tenant { id: TenantId::new(Uuid::from_u128(1)), name: "Stonework Ltd".into() }
}

fn user(id: u128) -> User {
    User {
        id: UserId::new(Uuid::from_u128(id)),
        tenant: tenant().id,
        email: "ada@example.com".into(),
        password_hash: "$argon2id$".into(),
        role: "admin".into(),
    }
}

#[tokio::test]
async fn tenants_and_users_come_back_as_they_were_stored() {
    for place in TestDatabase::on_each().await.unwrap() {
        let database = place.open_as_module(crate::module::MIGRATIONS).await.unwrap();
        let stored: PortResult<()> = database
            .system()
            .write(async |tx| {
                SqlAccounts.insert_tenant(tx, &tenant()).await?;
                SqlAccounts.insert_user(tx, &user(2)).await?;
                assert_eq!(SqlAccounts.tenants(tx).await?, [tenant().id]);
                assert_eq!(SqlAccounts.tenant(tx, tenant().id).await?, Some(tenant()));
                assert_eq!(SqlAccounts.user(tx, user(2).id).await?, Some(user(2)));
                assert_eq!(SqlAccounts.user_by_email(tx, "ada@example.com").await?, Some(user(2)));
                assert_eq!(SqlAccounts.user_by_email(tx, "Ada@example.com").await?, None);
                Ok(())
            })
            .await;
        stored.unwrap();
        let twice: PortResult<()> =
            database.system().write(async |tx| SqlAccounts.insert_user(tx, &user(3)).await).await;
        assert_eq!(twice.unwrap_err().kind(), ErrorKind::AlreadyExists, "{}", database.backend());
        place.remove(&database).await;
    }
}
