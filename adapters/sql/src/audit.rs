//! Who did what: the table `dolmen_audit`.

use async_trait::async_trait;
use dolmen_ports::{
    Actor, AuditEntry, AuditLog, ErrorKind, PortError, PortResult, ReadTx, UserId, Uuid, WriteTx,
};

use crate::statement::{FromRow, Row, framework_sql};

/// Adds audit entries in the transaction of the change. Nothing here changes or removes one.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SqlAuditLog;

impl SqlAuditLog {
    /// The log; it works in whatever transaction it is given.
    pub const fn new() -> Self {
        Self
    }
}

struct Entry(AuditEntry);

impl FromRow for Entry {
    fn from_row(row: &Row) -> PortResult<Self> {
        let actor = row.get::<Option<UserId>>("actor")?.map_or(Actor::System, Actor::User);
        Ok(Self(AuditEntry::new(
            row.get("id")?,
            row.get("at")?,
            actor,
            row.get::<String>("action")?,
            row.get::<String>("target")?,
        )))
    }
}

#[async_trait]
impl AuditLog for SqlAuditLog {
    async fn record(&self, tx: &mut WriteTx, entry: &AuditEntry) -> PortResult<()> {
        let actor = match entry.actor {
            Actor::User(user) => Some(user),
            Actor::System => None,
            // An actor of a newer port must not be stored as another one.
            _ => return Err(PortError::new(ErrorKind::Unsupported, "audit", "record")),
        };
        framework_sql!(
            "insert into dolmen_audit (id, tenant, at, actor, action, target) values (?, ?, ?, ?, ?, ?)",
            entry.id,
            tx.scope().tenant(),
            entry.at,
            actor,
            &entry.action,
            &entry.target
        )
        .execute(tx)
        .await
        .map(drop)
    }

    async fn list(&self, tx: &mut ReadTx, before: Option<Uuid>, limit: u32) -> PortResult<Vec<AuditEntry>> {
        // Ids ascend with time, so the largest one is the newest.
        let before = before.unwrap_or(Uuid::max());
        let statement = match tx.scope().tenant() {
            Some(tenant) => framework_sql!(
                "select id, at, actor, action, target from dolmen_audit where tenant = ? and id < ?
                 order by id desc limit ?",
                tenant,
                before,
                limit
            ),
            None => framework_sql!(
                "select id, at, actor, action, target from dolmen_audit where id < ? order by id desc limit ?",
                before,
                limit
            ),
        };
        let entries: Vec<Entry> = statement.fetch_all(tx).await?;
        Ok(entries.into_iter().map(|entry| entry.0).collect())
    }
}
