//! Who is calling: principals, credentials, sessions.

use std::fmt;

use async_trait::async_trait;

use crate::audit::Actor;
use crate::database::{ReadTx, WriteTx};
use crate::error::PortResult;
use crate::secret::Secret;
use crate::tenant::TenantId;
use crate::time::Timestamp;

crate::define_id! {
    /// Identifies a user.
    pub struct UserId;
}

/// Who a request or an action belongs to, after the credentials were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Principal {
    /// The user.
    pub user: UserId,
    /// The tenant that the user acts for.
    pub tenant: TenantId,
    /// What the user may do, in the application's own words, such as `admin`.
    pub role: String,
}

impl Principal {
    /// A user acting for a tenant.
    pub fn new(user: UserId, tenant: TenantId, role: impl Into<String>) -> Self {
        Self { user, tenant, role: role.into() }
    }

    /// The user as the actor of an audit entry.
    pub const fn actor(&self) -> Actor {
        Actor::User(self.user)
    }
}

/// What a caller presents to show who it is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Credentials {
    /// The token of an `Authorization: Bearer` header.
    Bearer(Secret<String>),
}

/// Turns credentials into a principal.
///
/// # Contract
/// - `AU-1` Wrong, unknown, revoked and expired credentials all give [`ErrorKind::Unauthenticated`](crate::ErrorKind),
///   with the same words: a caller cannot tell which.
/// - `AU-2` A failure to check gives another kind, never `Unauthenticated`.
#[async_trait]
pub trait Authenticator: fmt::Debug + Send + Sync + 'static {
    /// Checks the credentials.
    async fn authenticate(&self, credentials: &Credentials) -> PortResult<Principal>;
}

/// The SHA-256 of a session's token: what is stored, so that a stolen table opens no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub [u8; 32]);

/// A session: a principal until an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Session {
    /// The hash of its token.
    pub token: TokenHash,
    /// Who it belongs to.
    pub principal: Principal,
    /// When it ends.
    pub expires_at: Timestamp,
}

impl Session {
    /// A session of `principal` until `expires_at`.
    pub fn new(token: TokenHash, principal: Principal, expires_at: Timestamp) -> Self {
        Self { token, principal, expires_at }
    }
}

/// Keeps sessions in the database, so that any instance knows them.
///
/// # Contract
/// - `SE-1` A session exists if and only if the transaction that opened it committed.
/// - `SE-2` `find` returns a session whatever its expiry: the caller compares it with its clock.
/// - `SE-3` Closing a session that is not there is `Ok(false)`.
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Stores a session.
    async fn open(&self, tx: &mut WriteTx, session: &Session) -> PortResult<()>;
    /// Finds a session by its token's hash.
    async fn find(&self, tx: &mut ReadTx, token: TokenHash) -> PortResult<Option<Session>>;
    /// Ends a session; `false` when there was none.
    async fn close(&self, tx: &mut WriteTx, token: TokenHash) -> PortResult<bool>;
    /// Removes at most `limit` sessions that ended before `before`; returns how many.
    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64>;
}
