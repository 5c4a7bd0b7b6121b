//! The table of contents of this module.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{BoxError, MigrationSet, Module, ModuleName, Registrar, migrations};
use dolmen_poem::ApiExt;

use crate::adapters::argon2::Argon2Passwords;
use crate::adapters::facade::AccountsFacade;
use crate::adapters::http::{SessionHttp, SignInHttp};
use crate::adapters::sql::SqlAccounts;
use crate::api::Accounts;
use crate::application::UseCases;
pub use crate::ports::AccountsPorts;

const NAME: ModuleName = ModuleName::new("accounts");
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_accounts");

/// The address and the password of the demo tenant's user, outside production.
pub const DEMO_USER: (&str, &str) = ("demo@example.com", "demo-password");

const DEMO_IN_PRODUCTION: &str = "the database holds the demo tenant, whose password everybody knows: it was once used \
                                  outside production; set DATABASE_URL to a database that was not";

/// Accounts as a module.
#[derive(Debug)]
pub struct AccountsModule {
    use_cases: Arc<UseCases>,
}

impl AccountsModule {
    /// Accounts on these ports.
    pub fn new(mut ports: AccountsPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        let (accounts, passwords) = (Arc::new(SqlAccounts), Arc::new(Argon2Passwords::new()));
        Self { use_cases: Arc::new(UseCases { ports, accounts, passwords }) }
    }

    /// What other modules may ask.
    pub fn api(&self) -> Arc<dyn Accounts> {
        Arc::new(AccountsFacade(Arc::clone(&self.use_cases.accounts)))
    }
}

#[async_trait]
impl Module for AccountsModule {
    fn name(&self) -> ModuleName {
        NAME
    }

    fn migrations(&self) -> MigrationSet {
        MIGRATIONS
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.public_api(SignInHttp(Arc::clone(&self.use_cases)));
        registrar.api(SessionHttp(Arc::clone(&self.use_cases)));
    }

    async fn start(&self) -> Result<(), BoxError> {
        if self.use_cases.ports.demo {
            self.use_cases.seed_demo(DEMO_USER.0, DEMO_USER.1).await?;
        } else if self.use_cases.has_demo_tenant().await? {
            return Err(DEMO_IN_PRODUCTION.into());
        }
        Ok(())
    }
}
