//! Requests and messages that were handled: the table `dolmen_inbox`.

use async_trait::async_trait;
use dolmen_ports::{
    Dialect, ErrorKind, Inbox, InboxKey, InboxState, PortError, PortResult, TenantId, Timestamp, Uuid,
    WriteTx,
};

use crate::database::SqlTx;
use crate::statement::framework_sql;

/// How often a key is claimed anew after the row in the way was forgotten in between.
const MAX_TRIES: u32 = 3;

/// Remembers handled requests and messages in the transaction that handles them.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SqlInbox;

impl SqlInbox {
    /// The inbox; it works in whatever transaction it is given.
    pub const fn new() -> Self {
        Self
    }
}

/// The tenant, or the nil id for the system: a part of the primary key cannot be NULL.
fn scope(tx: &WriteTx) -> Uuid {
    tx.scope().tenant().map_or(Uuid::nil(), TenantId::as_uuid)
}

fn check(key: &InboxKey, operation: &'static str) -> PortResult<()> {
    let sound = |text: &str| {
        (1..=255).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
    };
    let wrong = match (sound(&key.consumer), sound(&key.key)) {
        (true, true) => return Ok(()),
        (false, _) => "consumer",
        (true, false) => "key",
    };
    Err(PortError::new(ErrorKind::InvalidInput, "inbox", operation)
        .with_detail(format!("{wrong} must be 1 to 255 printable ASCII characters")))
}

#[async_trait]
impl Inbox for SqlInbox {
    async fn claim(&self, tx: &mut WriteTx, key: &InboxKey, fingerprint: [u8; 32]) -> PortResult<InboxState> {
        check(key, "claim")?;
        let scope = scope(tx);
        for _ in 0..MAX_TRIES {
            // Waits for a transaction that has claimed the key, until it ends.
            let claimed = framework_sql!(
                "insert into dolmen_inbox (scope, consumer, message, fingerprint, claimed_at) values (?, ?, ?, ?, {now})
                 {ignore_conflict scope, consumer, message}",
                scope,
                &key.consumer,
                &key.key,
                &fingerprint
            )
            .execute(tx)
            .await?;
            if claimed == 1 {
                return Ok(InboxState::New);
            }
            let recorded = framework_sql!(
                "select fingerprint, outcome from dolmen_inbox where scope = ? and consumer = ? and message = ?",
                scope,
                &key.consumer,
                &key.key
            )
            .fetch_optional(tx)
            .await?;
            if let Some((fingerprint, outcome)) = recorded {
                return Ok(InboxState::Done { fingerprint, outcome });
            }
        }
        Err(PortError::new(ErrorKind::Contention, "inbox", "claim"))
    }

    async fn record(&self, tx: &mut WriteTx, key: &InboxKey, outcome: &[u8]) -> PortResult<()> {
        check(key, "record")?;
        let scope = scope(tx);
        let recorded = framework_sql!(
            "update dolmen_inbox set outcome = ? where scope = ? and consumer = ? and message = ?",
            outcome,
            scope,
            &key.consumer,
            &key.key
        )
        .execute(tx)
        .await?;
        if recorded == 1 {
            return Ok(());
        }
        Err(PortError::new(ErrorKind::NotFound, "inbox", "record")
            .with_detail("the key was not claimed; claim it first, in the same transaction"))
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        let statement = if tx.driver_mut::<SqlTx>()?.dialect() == Dialect::MySql {
            // It has no `with` before a delete.
            framework_sql!(
                "delete from dolmen_inbox where claimed_at < ? order by claimed_at limit ?",
                before,
                limit
            )
        } else {
            framework_sql!(
                "with dolmen_old as (
                     select scope, consumer, message from dolmen_inbox where claimed_at < ?
                     order by claimed_at limit ? {skip_locked})
                 delete from dolmen_inbox
                 where (scope, consumer, message) in (select scope, consumer, message from dolmen_old)",
                before,
                limit
            )
        };
        statement.execute(tx).await
    }
}
