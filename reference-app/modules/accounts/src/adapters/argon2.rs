//! Passwords by argon2id with the library's defaults: 19 MiB, 2 passes, 1 lane, as OWASP's password storage cheat sheet
//! recommends.

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher, PasswordVerifier};
use async_trait::async_trait;
use dolmen::{BoxError, ErrorKind, PortError, PortResult, Secret};
use tokio::task::spawn_blocking;

use crate::ports::Passwords;

/// argon2id on threads for blocking work.
#[derive(Debug, Default)]
pub(crate) struct Argon2Passwords;

/// A hash of no password: what an unknown user's password is compared with.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5bm9ib2R5$9pVQPbYDRXfWeGyR2aSsXvAWc3IQLJ0iBMHpyMRXQHo";

#[async_trait]
impl Passwords for Argon2Passwords {
    async fn hash(&self, password: &Secret<String>) -> PortResult<String> {
        let password = password.clone();
        let hashed = spawn_blocking(move || {
            Argon2::default().hash_password(password.reveal().as_bytes()).map(|hash| hash.to_string())
        });
        hashed.await.map_err(|error| failed("hash", error))?.map_err(|error| failed("hash", error))
    }

    async fn verify(&self, password: &Secret<String>, hash: Option<&str>) -> PortResult<bool> {
        let password = password.clone();
        let known = hash.is_some();
        let hash = hash.unwrap_or(NOBODY).to_owned();
        let verified = spawn_blocking(move || {
            let hash = PasswordHash::new(&hash).map_err(|error| failed("verify", error))?;
            match Argon2::default().verify_password(password.reveal().as_bytes(), &hash) {
                Ok(()) => Ok(known),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(failed("verify", error)),
            }
        });
        verified.await.map_err(|error| failed("verify", error))?
    }
}

fn failed(operation: &'static str, error: impl Into<BoxError>) -> PortError {
    PortError::new(ErrorKind::Internal, "passwords", operation).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let passwords = Argon2Passwords;
        let right = Secret::new("correct horse".to_owned());
        let hash = passwords.hash(&right).await.unwrap();
        assert!(hash.starts_with("$argon2id$"));
        assert!(passwords.verify(&right, Some(&hash)).await.unwrap());
        assert!(!passwords.verify(&Secret::new("wrong".to_owned()), Some(&hash)).await.unwrap());
    }

    #[tokio::test]
    async fn nobody_s_hash_is_sound_and_fits_nothing() {
        assert!(!Argon2Passwords.verify(&Secret::new("x".to_owned()), None).await.unwrap());
    }
}
