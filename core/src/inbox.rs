//! Once only: work under a sender's key, whose first outcome is the answer to every repetition.

use std::future::Future;

use dolmen_ports::{ErrorKind, Inbox, InboxKey, InboxState, PortError, TxFnOnce, WriteTx};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

/// The sender used a key again with other content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the idempotency key was used before with other content; send a new key with new content")]
pub struct IdempotencyMismatch;

/// Does `work` once per key: the first transaction that commits stores its outcome, and every later one with the same
/// key and fingerprint gets that outcome without doing the work.
///
/// The same call serves an `Idempotency-Key` of HTTP and a message that is delivered twice. A failed `work` stores
/// nothing, so it can be tried again under its key.
///
/// # Errors
/// [`IdempotencyMismatch`] when the key came with another fingerprint before; `InvalidInput` for a key that breaks the
/// rule of [`InboxKey`]; what `work` returns.
///
/// # Examples
/// ```
/// use dolmen::{Database, IdempotencyMismatch, Inbox, InboxKey, PortError, Retryable, TenantId, WriteTx};
/// use dolmen::{fingerprint, idempotent};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] struct Order { number: u64 }
/// # async fn insert_order(_tx: &mut WriteTx) -> Result<Order, PortError> { Ok(Order { number: 1 }) }
/// #[derive(Debug, thiserror::Error)]
/// enum PlaceOrderError {
///     #[error(transparent)]
///     KeyReused(#[from] IdempotencyMismatch),
///     #[error(transparent)]
///     Port(#[from] PortError),
/// }
/// # impl Retryable for PlaceOrderError {
/// #     fn port_error(&self) -> Option<&PortError> { if let Self::Port(error) = self { Some(error) } else { None } }
/// # }
/// async fn place_order(
///     database: &Database, inbox: &dyn Inbox, tenant: TenantId, key: &str, body: &[u8],
/// ) -> Result<Order, PlaceOrderError> {
///     let key = InboxKey::new("orders.place_order", key);
///     database.tenant(tenant).write(async |tx| {
///         idempotent(inbox, tx, &key, fingerprint(&[body]), async |tx: &mut WriteTx| Ok(insert_order(tx).await?)).await
///     }).await
/// }
/// ```
#[expect(clippy::manual_async_fn, reason = "the signature promises a Send future")]
pub fn idempotent<'a, T, E, F>(
    inbox: &'a dyn Inbox,
    tx: &'a mut WriteTx,
    key: &'a InboxKey,
    fingerprint: [u8; 32],
    work: F,
) -> impl Future<Output = Result<T, E>> + Send + 'a
where
    for<'t> F: AsyncFnOnce(&'t mut WriteTx) -> Result<T, E>
        + TxFnOnce<&'t mut WriteTx, Result<T, E>, Fut: Send>
        + Send
        + 'a,
    T: Serialize + DeserializeOwned + Send + Sync + 'a,
    E: From<PortError> + From<IdempotencyMismatch> + Send + 'a,
{
    async move {
        match inbox.claim(tx, key, fingerprint).await? {
            InboxState::New => {
                let value = work(tx).await?;
                let outcome = serde_json::to_vec(&value).map_err(|error| {
                    unusable(ErrorKind::InvalidInput, "the outcome cannot be written as JSON")
                        .with_source(error)
                })?;
                inbox.record(tx, key, &outcome).await?;
                Ok(value)
            }
            InboxState::Done { fingerprint: first, .. } if first != fingerprint => {
                Err(IdempotencyMismatch.into())
            }
            InboxState::Done { outcome, .. } => Ok(serde_json::from_slice(&outcome).map_err(|error| {
                unusable(ErrorKind::Internal, "the first outcome does not fit the type of this version")
                    .with_source(error)
            })?),
            state => Err(unusable(ErrorKind::Unsupported, format!("unknown state {state:?}")).into()),
        }
    }
}

/// Tells contents apart: the SHA-256 of the parts and their lengths.
pub fn fingerprint(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn unusable(kind: ErrorKind, detail: impl Into<String>) -> PortError {
    PortError::new(kind, "inbox", "do the work once").with_detail(detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_be_moved_across_their_border() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_eq!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"ab", b"c"]));
    }
}
