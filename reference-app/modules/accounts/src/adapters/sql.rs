//! Accounts in SQL. Tables: `accounts_tenant`, `accounts_user`.

use async_trait::async_trait;
use dolmen::{PortResult, ReadTx, TenantId, UserId, Uuid, WriteTx};
use dolmen_sql::{FromRow, Row, sql};

use crate::domain::{Tenant, User};
use crate::ports::AccountRepository;

/// The accounts of the application's database.
#[derive(Debug, Default)]
pub(crate) struct SqlAccounts;

impl FromRow for Tenant {
    fn from_row(row: &Row) -> PortResult<Self> {
        Ok(Self { id: TenantId::new(row.get("id")?), name: row.get("name")? })
    }
}

impl FromRow for User {
    fn from_row(row: &Row) -> PortResult<Self> {
        Ok(Self {
            id: UserId::new(row.get("id")?),
            tenant: TenantId::new(row.get("tenant")?),
            email: row.get("email")?,
            password_hash: row.get("password_hash")?,
            role: row.get("role")?,
        })
    }
}

#[async_trait]
impl AccountRepository for SqlAccounts {
    async fn insert_tenant(&self, tx: &mut WriteTx, tenant: &Tenant) -> PortResult<()> {
        sql!("insert into accounts_tenant (id, name) values (?, ?)", tenant.id.as_uuid(), &tenant.name)
            .execute(tx)
            .await?;
        Ok(())
    }

    async fn insert_user(&self, tx: &mut WriteTx, user: &User) -> PortResult<()> {
        sql!(
            "insert into accounts_user (id, tenant, email, password_hash, role) values (?, ?, ?, ?, ?)",
            user.id.as_uuid(),
            user.tenant.as_uuid(),
            &user.email,
            &user.password_hash,
            &user.role,
        )
        .execute(tx)
        .await?;
        Ok(())
    }

    async fn tenants(&self, tx: &mut ReadTx) -> PortResult<Vec<TenantId>> {
        let rows: Vec<(Uuid,)> = sql!("select id from accounts_tenant order by id").fetch_all(tx).await?;
        Ok(rows.into_iter().map(|(id,)| TenantId::new(id)).collect())
    }

    async fn tenant(&self, tx: &mut ReadTx, id: TenantId) -> PortResult<Option<Tenant>> {
        sql!("select id, name from accounts_tenant where id = ?", id.as_uuid()).fetch_optional(tx).await
    }

    async fn user(&self, tx: &mut ReadTx, id: UserId) -> PortResult<Option<User>> {
        sql!("select id, tenant, email, password_hash, role from accounts_user where id = ?", id.as_uuid())
            .fetch_optional(tx)
            .await
    }

    async fn user_by_email(&self, tx: &mut ReadTx, email: &str) -> PortResult<Option<User>> {
        sql!("select id, tenant, email, password_hash, role from accounts_user where email = ?", email)
            .fetch_optional(tx)
            .await
    }
}
