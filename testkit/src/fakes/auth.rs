//! An authenticator that knows a few tokens.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use dolmen_ports::{Authenticator, Credentials, ErrorKind, PortError, PortResult, Principal};

/// Knows which token is whose. A clone is the same authenticator.
///
/// # Examples
/// ```
/// use dolmen_ports::{Principal, TenantId, UserId, Uuid};
/// use dolmen_testkit::fakes::MemoryAuthenticator;
/// let ada = Principal::new(UserId::new(Uuid::from_u128(1)), TenantId::new(Uuid::from_u128(2)), "admin");
/// let authenticator = MemoryAuthenticator::new();
/// authenticator.grant("token-of-ada", ada);
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemoryAuthenticator {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    principals: BTreeMap<String, Principal>,
    failures: usize,
}

impl MemoryAuthenticator {
    /// An authenticator that knows no token.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes `token` for `principal` from now on.
    pub fn grant(&self, token: impl Into<String>, principal: Principal) {
        self.state().principals.insert(token.into(), principal);
    }

    /// Forgets a token.
    pub fn revoke(&self, token: &str) {
        self.state().principals.remove(token);
    }

    /// Lets the next `count` checks fail as if the store of tokens could not be reached.
    pub fn fail_next(&self, count: usize) {
        self.state().failures = count;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Authenticator for MemoryAuthenticator {
    async fn authenticate(&self, credentials: &Credentials) -> PortResult<Principal> {
        let mut state = self.state();
        if state.failures > 0 {
            state.failures -= 1;
            return Err(PortError::new(ErrorKind::Unavailable, "auth", "authenticate")
                .with_detail("the test asked for this failure"));
        }
        let known = match credentials {
            Credentials::Bearer(token) => state.principals.get(token.reveal()).cloned(),
            _ => None,
        };
        known.ok_or_else(|| PortError::new(ErrorKind::Unauthenticated, "auth", "authenticate"))
    }
}
