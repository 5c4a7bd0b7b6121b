//! Passwords by argon2id with the library's defaults: 19 MiB, 2 passes, 1 lane, as OWASP's password storage cheat sheet
//! recommends.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use async_trait::async_trait;
use dolmen::{BoxError, ErrorKind, PortError, PortResult, Secret};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::ports::Passwords;

/// How many passwords are worked on at once: each takes 19 MiB and a processor, and anybody may send one.
const AT_ONCE: usize = 8;

/// A hash of no password: what an unknown user's password is compared with.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5$9pVQPbYDRXfWeGyR2aSsXvAWc3IQLJ0iBMHpyMRXQHo";

/// argon2id on threads for blocking work.
#[derive(Debug)]
pub(crate) struct Argon2Passwords {
    turns: Arc<Semaphore>,
}

impl Argon2Passwords {
    pub(crate) fn new() -> Self {
        Self { turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Works when it is its turn, which it keeps to the end even if nobody waits for it any more.
    async fn in_turn<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> PortResult<T> {
        let failed =
            |error: BoxError| PortError::new(ErrorKind::Internal, "passwords", operation).with_source(error);
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|error| failed(error.into()))?;
        let done = spawn_blocking(move || (work(), drop(turn)).0);
        done.await.map_err(|error| failed(error.into()))?.map_err(|error| failed(error.into()))
    }
}

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, password: &Secret<String>) -> PortResult<String> {
        let password = password.clone();
        self.in_turn("hash", move || {
            Argon2::default().hash_password(password.reveal().as_bytes()).map(|hash| hash.to_string())
        })
        .await
    }

    async fn verify(&self, password: &Secret<String>, hash: Option<&str>) -> PortResult<bool> {
        let password = password.clone();
        let known = hash.is_some();
        let hash = hash.unwrap_or(NOBODY).to_owned();
        self.in_turn("verify", move || {
            let hash = PasswordHash::new(&hash)?;
            match Argon2::default().verify_password(password.reveal().as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(error),
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let passwords = Argon2Passwords::new();
        let right = Secret::new("correct horse".to_owned());
        let hash = passwords.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify(&right, Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&Secret::new("wrong".to_owned()), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_s_hash_is_sound_and_fits_nothing() {
        assert!(!Argon2Passwords::new().verify(&Secret::new("x".to_owned()), None).await.unwrap());
    }
    #[tokio::test]
    async fn passwords_wait_for_their_turn() {
        let (passwords, password) = (Argon2Passwords::new(), Secret::new("x".to_owned()));
        let turns = passwords.turns.acquire_many(u32::try_from(AT_ONCE).unwrap()).await.unwrap();
        let mut waiting = std::pin::pin!(passwords.verify(&password, None));
        tokio::select! {
            biased;
            _ = &mut waiting => panic!("it did not wait"),
            () = std::future::ready(()) => {}
        }
        drop(turns);
        assert!(!waiting.await.unwrap());
    }
}
