//! Signing in: an address, a password, a session.

use std::sync::Arc;
use std::time::Duration;

use dolmen::{
    Actor, AuditEntry, AuditLog, Clock, Database, IdGenerator, OpenedSession, PortError, PortResult,
    Retryable, Secret, Sessions,
};

use crate::domain::{User, normalized_email};
use crate::ports::{AccountRepository, Passwords};

/// A working day: long enough not to disturb, short enough that a lost laptop is not signed in for ever.
const SESSION_VALID_FOR: Duration = Duration::from_hours(12);

/// Opens a session for a user who knows the password.
pub(crate) struct SignIn {
    pub(crate) database: Database,
    pub(crate) accounts: Arc<dyn AccountRepository>,
    pub(crate) passwords: Arc<dyn Passwords>,
    pub(crate) sessions: Sessions,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    /// Unknown address or wrong password: which one is not told.
    #[error("the address or the password is wrong")]
    Refused,
    #[error(transparent)]
    Port(#[from] PortError),
}

impl Retryable for SignInError {
    fn port_error(&self) -> Option<&PortError> {
        match self {
            Self::Port(error) => Some(error),
            Self::Refused => None,
        }
    }
}

impl SignIn {
    pub(crate) async fn run(
        &self,
        email: &str,
        password: Secret<String>,
    ) -> Result<OpenedSession, SignInError> {
        let email = normalized_email(email);
        let found: PortResult<Option<User>> =
            self.database.system().read(async |tx| self.accounts.user_by_email(tx, &email).await).await;
        let user = found?;
        // Asked without a user too, so that the time it takes tells nothing.
        let fits =
            self.passwords.verify(&password, user.as_ref().map(|user| user.password_hash.as_str())).await?;
        let user = user.filter(|_| fits).ok_or(SignInError::Refused)?;
        Ok(self.open(&user).await?)
    }

    async fn open(&self, user: &User) -> PortResult<OpenedSession> {
        let principal = user.principal();
        self.database
            .tenant(user.tenant)
            .write(async |tx| {
                let opened = self.sessions.open(tx, &principal, SESSION_VALID_FOR).await?;
                let (now, actor) = (self.clock.now(), Actor::User(user.id));
                let entry = AuditEntry::new(
                    self.ids.next(),
                    now,
                    actor,
                    "accounts.sign_in",
                    format!("user/{}", user.id),
                );
                self.audit.record(tx, &entry).await?;
                Ok(opened)
            })
            .await
    }
}
