//! Opening and closing sessions in a transaction of the caller.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    Clock, Credentials, PortResult, Principal, Secret, Session, SessionStore, Timestamp, WriteTx,
};

use super::token;

/// Opens and closes sessions; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
}

/// A session that was just opened. The token is shown to its owner now and never again.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenedSession {
    /// What the caller presents from now on.
    pub token: Secret<String>,
    /// When the session ends.
    pub expires_at: Timestamp,
}

impl Sessions {
    /// Keeps sessions in `store`.
    pub fn new(store: Arc<dyn SessionStore>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock }
    }

    /// Opens a session for a principal, in the transaction that checked the password.
    pub async fn open(
        &self,
        tx: &mut WriteTx,
        principal: &Principal,
        valid_for: Duration,
    ) -> PortResult<OpenedSession> {
        let token = token::generate()?;
        let expires_at = self.clock.now().plus(valid_for);
        self.store.open(tx, &Session::new(token::hash(&token), principal.clone(), expires_at)).await?;
        Ok(OpenedSession { token, expires_at })
    }

    /// Ends the session of these credentials; `false` when there was none.
    pub async fn close(&self, tx: &mut WriteTx, credentials: &Credentials) -> PortResult<bool> {
        match credentials {
            Credentials::Bearer(token) => self.store.close(tx, token::hash(token)).await,
            _ => Ok(false),
        }
    }
}
