//! The demo tenant, for trying things out. Never in production.

use dolmen::{ErrorKind, PortResult, ReadTx, Secret, TenantId, UserId, Uuid};

use super::UseCases;
use crate::domain::{Tenant, User, normalized_email};

/// The demo tenant and its user have the same ids everywhere, so that seeding twice does nothing.
const TENANT: TenantId = TenantId::new(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_00aa));
const USER: UserId = UserId::new(Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_00bb));

impl UseCases {
    /// Whether the demo tenant was ever seeded here.
    pub(crate) async fn has_demo_tenant(&self) -> PortResult<bool> {
        let tenant = async |tx: &mut ReadTx| self.accounts.tenant(tx, TENANT).await;
        Ok(self.ports.database.system().read(tenant).await?.is_some())
    }

    /// Makes sure that the demo tenant is there, with a user of this address and password.
    pub(crate) async fn seed_demo(&self, email: &str, password: &str) -> PortResult<()> {
        if self.has_demo_tenant().await? {
            return Ok(());
        }
        let tenant = Tenant { id: TENANT, name: "Stonework Ltd".to_owned() };
        let user = User {
            id: USER,
            tenant: TENANT,
            email: normalized_email(email),
            password_hash: self.passwords.hash(&Secret::new(password.to_owned())).await?,
            role: "admin".to_owned(),
        };
        let inserted: PortResult<()> = self
            .ports
            .database
            .system()
            .write(async |tx| {
                self.accounts.insert_tenant(tx, &tenant).await?;
                self.accounts.insert_user(tx, &user).await
            })
            .await;
        match inserted {
            // Another process of the same application was faster.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            other => other,
        }
    }
}
