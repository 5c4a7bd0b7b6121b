//! Sessions: the table `dolmen_session`.

use async_trait::async_trait;
use dolmen_ports::{
    Dialect, PortResult, Principal, ReadTx, Session, SessionStore, Timestamp, TokenHash, WriteTx,
};

use crate::database::SqlTx;
use crate::statement::{FromRow, Row, framework_sql};

/// Keeps sessions, found by the hash of their token.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SqlSessionStore;

impl SqlSessionStore {
    /// The store; it works in whatever transaction it is given.
    pub const fn new() -> Self {
        Self
    }
}

struct Stored(Session);

impl FromRow for Stored {
    fn from_row(row: &Row) -> PortResult<Self> {
        let principal = Principal::new(row.get("user_id")?, row.get("tenant")?, row.get::<String>("role")?);
        Ok(Self(Session::new(TokenHash(row.get("token")?), principal, row.get("expires_at")?)))
    }
}

#[async_trait]
impl SessionStore for SqlSessionStore {
    async fn open(&self, tx: &mut WriteTx, session: &Session) -> PortResult<()> {
        let Session { token, principal, expires_at, .. } = session;
        framework_sql!(
            "insert into dolmen_session (token, user_id, tenant, role, expires_at) values (?, ?, ?, ?, ?)",
            &token.0,
            principal.user,
            principal.tenant,
            &principal.role,
            expires_at
        )
        .execute(tx)
        .await
        .map(drop)
    }

    async fn find(&self, tx: &mut ReadTx, token: TokenHash) -> PortResult<Option<Session>> {
        let stored: Option<Stored> = framework_sql!(
            "select token, user_id, tenant, role, expires_at from dolmen_session where token = ?",
            &token.0
        )
        .fetch_optional(tx)
        .await?;
        Ok(stored.map(|stored| stored.0))
    }

    async fn close(&self, tx: &mut WriteTx, token: TokenHash) -> PortResult<bool> {
        Ok(framework_sql!("delete from dolmen_session where token = ?", &token.0).execute(tx).await? == 1)
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        let statement = if tx.driver_mut::<SqlTx>()?.dialect() == Dialect::MySql {
            // It has no `with` before a delete.
            framework_sql!(
                "delete from dolmen_session where expires_at < ? order by expires_at limit ?",
                before,
                limit
            )
        } else {
            framework_sql!(
                "with dolmen_ended as (
                     select token from dolmen_session where expires_at < ?
                     order by expires_at limit ? {skip_locked})
                 delete from dolmen_session where token in (select token from dolmen_ended)",
                before,
                limit
            )
        };
        statement.execute(tx).await
    }
}
