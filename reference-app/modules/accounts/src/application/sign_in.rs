//! Signing in: an address, a password, a session.

use std::time::Duration;

use dolmen::{OpenedSession, PortError, PortResult, Retryable, Secret};

use super::UseCases;
use crate::domain::{User, normalized_email};

/// A working day: long enough not to disturb, short enough that a lost laptop is not signed in for ever.
const SESSION_VALID_FOR: Duration = Duration::from_hours(12);

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

impl UseCases {
    /// Opens a session for a user who knows the password.
    pub(crate) async fn sign_in(
        &self,
        email: &str,
        password: Secret<String>,
    ) -> Result<OpenedSession, SignInError> {
        let email = normalized_email(email);
        let found: PortResult<Option<User>> =
            self.ports.database.system().read(async |tx| self.accounts.user_by_email(tx, &email).await).await;
        let user = found?;
        // Asked without a user too, so that the time it takes tells nothing.
        let fits =
            self.passwords.verify(&password, user.as_ref().map(|user| user.password_hash.as_str())).await?;
        let user = user.filter(|_| fits).ok_or(SignInError::Refused)?;
        Ok(self.open(&user).await?)
    }

    async fn open(&self, user: &User) -> PortResult<OpenedSession> {
        let principal = user.principal();
        self.ports
            .database
            .tenant(user.tenant)
            .write(async |tx| {
                let opened = self.ports.sessions.open(tx, &principal, SESSION_VALID_FOR).await?;
                self.ports
                    .audit
                    .record(tx, principal.actor(), "accounts.sign_in", format!("user/{}", user.id))
                    .await?;
                Ok(opened)
            })
            .await
    }
}
