//! The memory of handled requests and messages.

use async_trait::async_trait;
use dolmen_ports::{
    Clock, ErrorKind, Inbox, InboxKey, InboxState, PortError, PortResult, TenantId, Timestamp, WriteTx,
};

use super::clock::ManualClock;
use super::database::{MemoryDatabase, MemoryTable};

type Key = (Option<TenantId>, String, String);

const HANDLED: MemoryTable<Key, Handled> = MemoryTable::new("dolmen_inbox");

/// A key that somebody claimed.
#[derive(Debug, Clone)]
struct Handled {
    fingerprint: [u8; 32],
    outcome: Vec<u8>,
    claimed_at: Timestamp,
}

/// An inbox in memory. That one transaction waits for another with the same key (`IB-1`) follows from the single writer
/// of [`MemoryDatabase`].
#[derive(Debug, Clone)]
pub struct MemoryInbox {
    clock: ManualClock,
}

impl MemoryInbox {
    /// The inbox of a database; ages are measured with the database's clock.
    pub fn new(database: &MemoryDatabase) -> Self {
        Self { clock: database.clock().clone() }
    }
}

fn key(tx: &WriteTx, key: &InboxKey, operation: &'static str) -> PortResult<Key> {
    let is_sound =
        |text: &str| (1..=255).contains(&text.len()) && text.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !is_sound(&key.key) || !is_sound(&key.consumer) {
        return Err(PortError::new(ErrorKind::InvalidInput, "inbox", operation)
            .with_detail("consumer and key must be 1 to 255 printable ASCII characters"));
    }
    Ok((tx.scope().tenant(), key.consumer.clone(), key.key.clone()))
}

#[async_trait]
impl Inbox for MemoryInbox {
    async fn claim(
        &self,
        tx: &mut WriteTx,
        name: &InboxKey,
        fingerprint: [u8; 32],
    ) -> PortResult<InboxState> {
        let key = key(tx, name, "claim")?;
        if let Some(Handled { fingerprint, outcome, .. }) = HANDLED.get(tx, &key)? {
            return Ok(InboxState::Done { fingerprint, outcome });
        }
        let handled = Handled { fingerprint, outcome: Vec::new(), claimed_at: self.clock.now() };
        HANDLED.insert(tx, key, handled)?;
        Ok(InboxState::New)
    }

    async fn record(&self, tx: &mut WriteTx, name: &InboxKey, outcome: &[u8]) -> PortResult<()> {
        let key = key(tx, name, "record")?;
        let recorded = HANDLED.update(tx, &key, |handled| handled.outcome = outcome.to_vec())?;
        recorded.ok_or_else(|| {
            PortError::new(ErrorKind::NotFound, "inbox", "record")
                .with_detail("the key was not claimed; claim it in the same transaction")
        })
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        let old = HANDLED.scan(tx, |_, handled| handled.claimed_at < before)?;
        let mut removed = 0;
        for (key, _) in old.into_iter().take(limit as usize) {
            HANDLED.remove(tx, &key)?;
            removed += 1;
        }
        Ok(removed)
    }
}
