//! Credentials to principal, by the session store.

use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{
    Authenticator, Clock, Credentials, Database, ErrorKind, PortError, PortResult, Principal, Session,
    SessionStore,
};

use super::token;

/// Accepts the tokens of sessions that are open and not expired. Every instance accepts every session: they are in the
/// database.
#[derive(Debug, Clone)]
pub struct SessionAuthenticator {
    database: Database,
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
}

impl SessionAuthenticator {
    /// Looks sessions up in `store`.
    pub fn new(database: Database, store: Arc<dyn SessionStore>, clock: Arc<dyn Clock>) -> Self {
        Self { database, store, clock }
    }
}

#[async_trait]
impl Authenticator for SessionAuthenticator {
    async fn authenticate(&self, credentials: &Credentials) -> PortResult<Principal> {
        let Credentials::Bearer(token) = credentials else { return Err(refused()) };
        let hash = token::hash(token);
        let found: PortResult<Option<Session>> =
            self.database.system().read(async |tx| self.store.find(tx, hash).await).await;
        let session =
            found.map_err(not_the_callers_fault)?.filter(|session| session.expires_at > self.clock.now());
        session.map(|session| session.principal).ok_or_else(refused)
    }
}

/// The same words whatever is wrong with the credentials.
fn refused() -> PortError {
    PortError::new(ErrorKind::Unauthenticated, "sessions", "authenticate")
        .with_detail("the token is missing, wrong or expired; sign in again")
}

/// A database that refuses *us* must not look like a caller who is refused.
fn not_the_callers_fault(error: PortError) -> PortError {
    if error.kind() != ErrorKind::Unauthenticated {
        return error;
    }
    PortError::new(ErrorKind::Unavailable, "sessions", "authenticate").with_source(error)
}
