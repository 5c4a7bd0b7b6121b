//! The table of contents of this module.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen::{
    AuditLog, BoxError, Clock, Database, IdGenerator, MigrationSet, Module, ModuleName, Registrar, Sessions,
    migrations,
};
use dolmen_poem::ApiExt;

use crate::adapters::argon2::Argon2Passwords;
use crate::adapters::facade::AccountsFacade;
use crate::adapters::http::{SessionHttp, SignInHttp};
use crate::adapters::sql::SqlAccounts;
use crate::api::Accounts;
use crate::application::{SeedDemo, SignIn, SignOut, WhoAmI};
use crate::ports::{AccountRepository, Passwords};

const NAME: ModuleName = ModuleName::new("accounts");
const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_accounts");

/// The address and the password of the demo tenant's user, outside production.
pub const DEMO_USER: (&str, &str) = ("demo@example.com", "demo-password");

/// The ports that accounts need.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct AccountsPorts {
    /// Where accounts are kept.
    pub database: Database,
    /// Opens and closes sessions.
    pub sessions: Sessions,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
    /// Whether the demo tenant is there; never in production.
    pub demo: bool,
}

/// Accounts as a module.
pub struct AccountsModule {
    ports: AccountsPorts,
    accounts: Arc<dyn AccountRepository>,
    passwords: Arc<dyn Passwords>,
}

impl AccountsModule {
    /// Accounts on these ports.
    pub fn new(mut ports: AccountsPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { ports, accounts: Arc::new(SqlAccounts), passwords: Arc::new(Argon2Passwords) }
    }

    /// What other modules may ask.
    pub fn api(&self) -> Arc<dyn Accounts> {
        Arc::new(AccountsFacade(Arc::clone(&self.accounts)))
    }

    fn sign_in_http(&self) -> SignInHttp {
        let AccountsPorts { database, sessions, audit, clock, ids, .. } = self.ports.clone();
        let (accounts, passwords) = (Arc::clone(&self.accounts), Arc::clone(&self.passwords));
        SignInHttp { sign_in: SignIn { database, accounts, passwords, sessions, audit, clock, ids } }
    }

    fn session_http(&self) -> SessionHttp {
        let AccountsPorts { database, sessions, audit, clock, ids, .. } = self.ports.clone();
        SessionHttp {
            who_am_i: WhoAmI { database: database.clone(), accounts: Arc::clone(&self.accounts) },
            sign_out: SignOut { database, sessions, audit, clock, ids },
        }
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
        registrar.public_api(self.sign_in_http());
        registrar.api(self.session_http());
    }

    async fn start(&self) -> Result<(), BoxError> {
        if self.ports.demo {
            let (database, accounts) = (self.ports.database.clone(), Arc::clone(&self.accounts));
            let seed = SeedDemo { database, accounts, passwords: Arc::clone(&self.passwords) };
            seed.run(DEMO_USER.0, DEMO_USER.1).await?;
        }
        Ok(())
    }
}
