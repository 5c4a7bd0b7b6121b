//! The scratch table of the database suite, in memory.

use async_trait::async_trait;
use dolmen_ports::{ErrorKind, PortError, PortResult, ReadTx, Timestamp, Uuid, WriteTx};

use super::MemoryHarness;
use crate::conformance::database::{DatabaseHarness, ScratchRow};
use crate::fakes::MemoryTable;

const ROWS: MemoryTable<Uuid, ScratchRow> = MemoryTable::new("scratch_row");
const COUNTERS: MemoryTable<String, i64> = MemoryTable::new("scratch_counter");

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
