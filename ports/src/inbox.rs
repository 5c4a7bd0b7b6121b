//! Once only: the memory of requests and messages that were handled.

use std::fmt;

use async_trait::async_trait;

use crate::database::WriteTx;
use crate::error::PortResult;
use crate::time::Timestamp;

/// Names one request or message: who consumes it, and the sender's own key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct InboxKey {
    /// The consumer, such as `invoices.create_invoice`.
    pub consumer: String,
    /// The sender's key: an `Idempotency-Key` or a message's id. 1 to 255 printable ASCII characters.
    pub key: String,
}

impl InboxKey {
    /// A key of a consumer.
    pub fn new(consumer: impl Into<String>, key: impl Into<String>) -> Self {
        Self { consumer: consumer.into(), key: key.into() }
    }
}

/// What the inbox knows of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum InboxState {
    /// Nobody has used this key: do the work, then `record` its outcome in the same transaction.
    New,
    /// The work was done; here is what was recorded.
    Done {
        /// The fingerprint of the content that came with the key.
        fingerprint: [u8; 32],
        /// What `record` stored.
        outcome: Vec<u8>,
    },
}

/// Remembers handled requests and messages in the transaction that handles them.
///
/// The key belongs to the scope of the transaction: two tenants may use the same key.
///
/// # Contract
/// - `IB-1` Of several transactions that use one key at once, one sees `New`; the others wait for it and then see
///   `Done`, or `New` if it rolled back.
/// - `IB-2` The outcome exists if and only if the transaction of the work committed.
/// - `IB-3` A key that breaks its rule gives `InvalidInput` before anything is stored.
#[async_trait]
pub trait Inbox: fmt::Debug + Send + Sync + 'static {
    /// Claims the key for this transaction, or tells what was recorded for it.
    async fn claim(&self, tx: &mut WriteTx, key: &InboxKey, fingerprint: [u8; 32]) -> PortResult<InboxState>;
    /// Records the outcome of the work, in the transaction that claimed the key.
    async fn record(&self, tx: &mut WriteTx, key: &InboxKey, outcome: &[u8]) -> PortResult<()>;
    /// Forgets at most `limit` keys that were claimed before `before`; returns how many.
    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64>;
}
