//! Sessions in memory.

use async_trait::async_trait;
use dolmen_ports::{PortResult, ReadTx, Session, SessionStore, Timestamp, TokenHash, WriteTx};

use super::database::MemoryTable;

const SESSIONS: MemoryTable<TokenHash, Session> = MemoryTable::new("dolmen_session");

/// A session store in memory; its sessions lie in the [`MemoryDatabase`](super::MemoryDatabase) of the transaction.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct MemorySessionStore;

impl MemorySessionStore {
    /// The store.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl SessionStore for MemorySessionStore {
    async fn open(&self, tx: &mut WriteTx, session: &Session) -> PortResult<()> {
        SESSIONS.insert(tx, session.token, session.clone())
    }

    async fn find(&self, tx: &mut ReadTx, token: TokenHash) -> PortResult<Option<Session>> {
        SESSIONS.get(tx, &token)
    }

    async fn close(&self, tx: &mut WriteTx, token: TokenHash) -> PortResult<bool> {
        Ok(SESSIONS.remove(tx, &token)?.is_some())
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        let ended = SESSIONS.scan(tx, |_, session| session.expires_at < before)?;
        let mut removed = 0;
        for (token, _) in ended.into_iter().take(limit as usize) {
            SESSIONS.remove(tx, &token)?;
            removed += 1;
        }
        Ok(removed)
    }
}
