//! The fakes as a harness; also the example of how one is written.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    BoxError, Bytes, Database, ErrorKind, JobQueue, LinkVerifier, Mailer, ObjectKey, ObjectStore, PortError,
    PortResult, ReadTx, Timestamp, Uuid, WriteTx,
};

use super::database::{DatabaseCapabilities, DatabaseHarness, ScratchRow};
use super::harness::{Harness, TransactionHarness};
use super::jobs::JobsHarness;
use super::mail::{MailHarness, SentMail};
use super::objects::ObjectsHarness;
use crate::fakes::{MemoryDatabase, MemoryJobQueue, MemoryMailer, MemoryObjectStore, MemoryTable};

const ROWS: MemoryTable<Uuid, ScratchRow> = MemoryTable::new("scratch_row");
const COUNTERS: MemoryTable<String, i64> = MemoryTable::new("scratch_counter");

/// The fakes, ready for the suites of their ports.
#[derive(Debug)]
pub struct MemoryHarness {
    memory: MemoryDatabase,
    database: Database,
    queue: Arc<MemoryJobQueue>,
    mailer: MemoryMailer,
    objects: MemoryObjectStore,
}

impl MemoryHarness {
    /// What the fakes can do: no foreign keys, and migrations that are only recorded.
    pub const CAPABILITIES: DatabaseCapabilities =
        DatabaseCapabilities::all().without_foreign_keys().without_sql_migrations();

    /// Fresh fakes.
    #[expect(clippy::unused_async, reason = "a suite awaits the harness; other adapters connect here")]
    pub async fn fresh() -> Result<Self, BoxError> {
        let memory = MemoryDatabase::new();
        let queue = Arc::new(MemoryJobQueue::new(&memory));
        let objects = MemoryObjectStore::with_clock(memory.clock().clone());
        Ok(Self { database: memory.database(), memory, queue, mailer: MemoryMailer::new(), objects })
    }
}

impl Harness for MemoryHarness {}

impl TransactionHarness for MemoryHarness {
    fn database(&self) -> &Database {
        &self.database
    }
}

fn check_name(tx: &mut ReadTx, row: &ScratchRow) -> PortResult<()> {
    let twins = ROWS.scan(tx, |id, other| *id != row.id && other.name == row.name)?;
    if twins.is_empty() { Ok(()) } else { Err(PortError::new(ErrorKind::AlreadyExists, "scratch", "store")) }
}

#[async_trait]
impl DatabaseHarness for MemoryHarness {
    async fn insert(&self, tx: &mut WriteTx, row: &ScratchRow) -> PortResult<()> {
        check_name(tx, row)?;
        ROWS.insert(tx, row.id, row.clone())
    }

    async fn insert_through_read(&self, tx: &mut ReadTx, row: &ScratchRow) -> PortResult<()> {
        ROWS.insert_through(tx, row.id, row.clone())
    }

    async fn find(&self, tx: &mut ReadTx, id: Uuid) -> PortResult<Option<ScratchRow>> {
        ROWS.get(tx, &id)
    }

    async fn find_for_update(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<Option<ScratchRow>> {
        ROWS.get(tx, &id)
    }

    async fn find_by_name(&self, tx: &mut ReadTx, name: &str) -> PortResult<Option<ScratchRow>> {
        Ok(ROWS.scan(tx, |_, row| row.name == name)?.pop().map(|(_, row)| row))
    }

    async fn update(&self, tx: &mut WriteTx, row: &ScratchRow, expected: i64) -> PortResult<bool> {
        check_name(tx, row)?;
        let stored = ScratchRow { version: expected + 1, ..row.clone() };
        let change = |old: &mut ScratchRow| {
            let matches = old.version == expected;
            if matches {
                *old = stored;
            }
            matches
        };
        Ok(ROWS.update(tx, &row.id, change)?.unwrap_or(false))
    }

    async fn delete(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<bool> {
        Ok(ROWS.remove(tx, &id)?.is_some())
    }

    async fn count(&self, tx: &mut ReadTx) -> PortResult<u64> {
        Ok(ROWS.len(tx)? as u64)
    }

    async fn page(
        &self,
        tx: &mut ReadTx,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> PortResult<Vec<ScratchRow>> {
        let rows = ROWS.scan(tx, |id, row| after.is_none_or(|after| (row.at, *id) > after))?;
        let mut rows: Vec<ScratchRow> = rows.into_iter().map(|(_, row)| row).collect();
        rows.sort_by_key(|row| (row.at, row.id));
        rows.truncate(limit as usize);
        Ok(rows)
    }

    async fn next_number(&self, tx: &mut WriteTx, counter: &str) -> PortResult<i64> {
        let next = COUNTERS.get(tx, &counter.to_owned())?.unwrap_or(0) + 1;
        COUNTERS.put(tx, counter.to_owned(), next)?;
        Ok(next)
    }
}

#[async_trait]
impl JobsHarness for MemoryHarness {
    fn queue(&self) -> Arc<dyn JobQueue> {
        Arc::clone(&self.queue) as Arc<dyn JobQueue>
    }

    async fn age(&self, by: Duration) -> PortResult<()> {
        self.memory.clock().advance(by);
        Ok(())
    }
}

#[async_trait]
impl MailHarness for MemoryHarness {
    fn mailer(&self) -> Arc<dyn Mailer> {
        Arc::new(self.mailer.clone())
    }

    async fn sent(&self) -> Result<Vec<SentMail>, BoxError> {
        let mails = self.mailer.sent().into_iter().map(|email| SentMail {
            message_id: format!("<{}@memory>", email.key),
            from: email.from.to_string(),
            to: email.to.to_string(),
            subject: email.subject,
            text: email.text,
        });
        Ok(mails.collect())
    }
}

#[async_trait]
impl ObjectsHarness for MemoryHarness {
    fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::new(self.objects.clone())
    }

    async fn open_link(&self, link: &str) -> PortResult<Bytes> {
        let denied = || PortError::new(ErrorKind::PermissionDenied, "objects", "verify a link");
        let (path, query) = link.split_once('?').ok_or_else(denied)?;
        let key = ObjectKey::parse(path.strip_prefix("/objects/").ok_or_else(denied)?)?;
        self.objects.verify(&key, query)?;
        Ok(self.objects.get(&key).await?.bytes)
    }

    async fn advance(&self, by: Duration) {
        self.memory.clock().advance(by);
    }
}
