//! The suite of the authenticator: rules `AU-1` and `AU-2`.
//!
//! # Examples
//! How a team runs it for its own authenticator, here with the fake in its place:
//! ```no_run
//! use std::{future::ready, process::ExitCode, sync::Arc};
//! use dolmen_ports::{Authenticator, BoxError, Principal};
//! use dolmen_testkit::conformance::{self, Harness, authenticator::AuthenticatorHarness};
//! use dolmen_testkit::fakes::MemoryAuthenticator;
//! #[derive(Default)] struct Mine(MemoryAuthenticator);
//! impl Harness for Mine {}
//! #[async_trait::async_trait]
//! impl AuthenticatorHarness for Mine {
//!     fn authenticator(&self) -> Arc<dyn Authenticator> { Arc::new(self.0.clone()) }
//!     async fn grant(&self, principal: &Principal) -> Result<String, BoxError> {
//!         self.0.grant("secret", principal.clone());
//!         Ok("secret".to_owned())
//!     }
//!     async fn revoke(&self, token: &str) -> Result<(), BoxError> { Ok(self.0.revoke(token)) }
//!     async fn expire(&self, token: &str) -> Result<(), BoxError> { Ok(self.0.revoke(token)) }
//!     async fn cut_off(&self) { self.0.fail_next(usize::MAX); }
//! }
//! fn main() -> ExitCode { conformance::run(conformance::authenticator::cases("mine", || ready(Ok(Mine::default())))) }
//! ```

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{
    Authenticator, BoxError, Credentials, ErrorKind, PortResult, Principal, Secret, TenantId, UserId, Uuid,
};

use super::failure::{CaseResult, Failure, ensure, ensure_eq, ensure_kind};
use super::harness::Harness;
use super::suite::{Suite, add_cases, cases_of};

/// Gives the authenticator suite an authenticator, and hands out tokens for it.
#[async_trait]
pub trait AuthenticatorHarness: Harness {
    /// The authenticator.
    fn authenticator(&self) -> Arc<dyn Authenticator>;

    /// Makes a token that is valid for a principal.
    async fn grant(&self, principal: &Principal) -> Result<String, BoxError>;

    /// Makes a token invalid, as when somebody signs out.
    async fn revoke(&self, token: &str) -> Result<(), BoxError>;

    /// Lets a token's time run out.
    async fn expire(&self, token: &str) -> Result<(), BoxError>;

    /// Cuts the authenticator off from what it checks tokens with.
    async fn cut_off(&self);
}

cases_of!(dyn AuthenticatorHarness, suite());

pub(super) fn suite() -> Suite<dyn AuthenticatorHarness> {
    add_cases!(Suite::new("authenticator"),
        "AU-1": a_valid_token_gives_its_principal,
        "AU-1": all_other_tokens_are_refused_with_the_same_words,
        "AU-2": a_check_that_fails_is_no_refusal,
    )
}

type H = Arc<dyn AuthenticatorHarness>;

fn principal(number: u128) -> Principal {
    let user = UserId::new(Uuid::from_u128(number));
    Principal::new(user, TenantId::new(Uuid::from_u128(number + 100)), "admin")
}

async fn grant(harness: &H, number: u128) -> Result<String, Failure> {
    let token = harness.grant(&principal(number)).await;
    token.map_err(|error| Failure::new(format!("the harness could not grant a token: {error}")))
}

async fn check(harness: &H, token: &str) -> PortResult<Principal> {
    let credentials = Credentials::Bearer(Secret::new(token.to_owned()));
    harness.authenticator().authenticate(&credentials).await
}

async fn a_valid_token_gives_its_principal(harness: H) -> CaseResult {
    let (first, second) = (grant(&harness, 1).await?, grant(&harness, 2).await?);
    for _ in 0..2 {
        ensure_eq!(check(&harness, &first).await?, principal(1), "whose the first token is");
        ensure_eq!(check(&harness, &second).await?, principal(2), "whose the second token is");
    }
    Ok(())
}

async fn all_other_tokens_are_refused_with_the_same_words(harness: H) -> CaseResult {
    let (revoked, expired) = (grant(&harness, 1).await?, grant(&harness, 2).await?);
    let valid = grant(&harness, 3).await?;
    harness.revoke(&revoked).await.map_err(|error| Failure::new(error.to_string()))?;
    harness.expire(&expired).await.map_err(|error| Failure::new(error.to_string()))?;
    let cut = valid.get(1..).unwrap_or_default().to_owned();
    let mut words = BTreeSet::new();
    for token in
        [revoked, expired, cut, format!("{valid} "), "unknown".to_owned(), String::new(), "🪨".to_owned()]
    {
        let refused = check(&harness, &token).await;
        ensure_kind!(refused, ErrorKind::Unauthenticated, "the token {token:?}");
        words.extend(refused.err().map(|error| error.to_string()));
    }
    ensure_eq!(words.len(), 1, "different words among {words:?}");
    Ok(())
}

async fn a_check_that_fails_is_no_refusal(harness: H) -> CaseResult {
    let valid = grant(&harness, 1).await?;
    harness.cut_off().await;
    let kind = check(&harness, &valid).await.map_err(|error| error.kind());
    ensure!(kind.is_err(), "a token was taken for {kind:?} without a check");
    ensure!(kind != Err(ErrorKind::Unauthenticated), "a failure to check is told as a refusal");
    Ok(())
}
