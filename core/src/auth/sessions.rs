//! Opening and closing sessions in a transaction of the caller.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    Clock, Credentials, PortResult, Principal, Secret, Session, SessionStore, Timestamp, WriteTx,
};

use super::randomness::{OsRandomness, Randomness};
use super::token;

/// Opens and closes sessions; cheap to clone.
#[derive(Debug, Clone)]
pub struct Sessions {
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    randomness: Arc<dyn Randomness>,
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
    /// Keeps sessions in `store`, with tokens from the operating system's randomness.
    pub fn new(store: Arc<dyn SessionStore>, clock: Arc<dyn Clock>) -> Self {
        Self::with_randomness(store, clock, Arc::new(OsRandomness))
    }

    /// Keeps sessions in `store`, with tokens from another randomness, as tests need.
    pub fn with_randomness(
        store: Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
        randomness: Arc<dyn Randomness>,
    ) -> Self {
        Self { store, clock, randomness }
    }

    /// Opens a session for a principal, in the transaction that checked the password.
    ///
    /// # Errors
    /// `Unavailable` when there is no randomness; otherwise the store's.
    pub async fn open(
        &self,
        tx: &mut WriteTx,
        principal: &Principal,
        valid_for: Duration,
    ) -> PortResult<OpenedSession> {
        let token = token::generate(&*self.randomness)?;
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

    /// Removes at most `limit` sessions that have expired; returns how many.
    pub async fn prune(&self, tx: &mut WriteTx, limit: u32) -> PortResult<u64> {
        self.store.prune(tx, self.clock.now(), limit).await
    }
}
