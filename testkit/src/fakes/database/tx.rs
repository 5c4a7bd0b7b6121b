//! A transaction of the database in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{ErrorKind, PortError, PortResult, Position, TxDriver};
use tokio::sync::OwnedMutexGuard;

use super::world::World;
use super::{BACKEND, Shared};

/// A transaction of [`MemoryDatabase`](super::MemoryDatabase). Tests reach its rows through a
/// [`MemoryTable`](super::MemoryTable).
#[derive(Debug)]
pub struct MemoryTx {
    world: World,
    writer: Option<Writer>,
}

/// What makes a transaction a writing one: where its world goes, and its turn.
#[derive(Debug)]
struct Writer {
    target: Arc<Shared>,
    turn: OwnedMutexGuard<()>,
    has_jobs: bool,
}

impl MemoryTx {
    pub(super) fn reader(world: World) -> Self {
        Self { world, writer: None }
    }

    pub(super) fn writer(world: World, target: Arc<Shared>, turn: OwnedMutexGuard<()>) -> Self {
        Self { world, writer: Some(Writer { target, turn, has_jobs: false }) }
    }

    /// Notes that its commit makes jobs ready.
    pub(in crate::fakes) fn note_jobs(&mut self) {
        if let Some(writer) = &mut self.writer {
            writer.has_jobs = true;
        }
    }

    pub(super) fn rows<K: 'static, V: 'static>(
        &self,
        table: &'static str,
    ) -> PortResult<Option<&BTreeMap<K, V>>> {
        self.world.rows(table)
    }

    pub(super) fn rows_mut<K, V>(&mut self, table: &'static str) -> PortResult<&mut BTreeMap<K, V>>
    where
        K: Clone + Send + Sync + 'static,
        V: Clone + Send + Sync + 'static,
    {
        if self.writer.is_none() {
            return Err(PortError::new(ErrorKind::PermissionDenied, "database", "write")
                .with_detail("the transaction is read-only; open it with write"));
        }
        self.world.rows_mut(table)
    }
}

#[async_trait]
impl TxDriver for MemoryTx {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    async fn commit(self: Box<Self>) -> PortResult<Option<Position>> {
        let Self { world, writer } = *self;
        let Some(Writer { target, turn, has_jobs }) = writer else { return Ok(None) };
        let position = target.commit(world);
        // The next writer may be one of the jobs.
        drop(turn);
        if has_jobs {
            target.tell_of_commit().await;
        }
        Ok(position)
    }

    fn position_in_doubt(&mut self) -> Option<Position> {
        self.writer.as_ref()?.target.next_position()
    }

    async fn rollback(self: Box<Self>) -> PortResult<()> {
        Ok(())
    }
}
