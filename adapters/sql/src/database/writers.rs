//! Which tasks hold a write transaction, so that a nested one is refused instead of waiting for itself.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use dolmen_ports::{ErrorKind, PortError, PortResult};
use tokio::task::Id;

/// The tasks that hold a write transaction of one database.
#[derive(Debug, Clone, Default)]
pub(crate) struct Writers(Arc<Mutex<HashSet<Id>>>);

/// Marks a task as a writer until it is dropped.
#[derive(Debug)]
pub(crate) struct WriterMark {
    writers: Writers,
    task: Id,
}

impl Writers {
    /// Marks the calling task. Outside of a task, such as in `block_on`, there is nothing to mark.
    pub(crate) fn enter(&self) -> PortResult<Option<WriterMark>> {
        let Some(task) = tokio::task::try_id() else { return Ok(None) };
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(task) {
            Ok(Some(WriterMark { writers: self.clone(), task }))
        } else {
            Err(PortError::new(ErrorKind::InvalidInput, "database", "begin a write transaction").with_detail(
                "this task holds one already and would wait for itself; pass its `tx` on, or begin after it ended",
            ))
        }
    }
}

impl Drop for WriterMark {
    fn drop(&mut self) {
        self.writers.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.task);
    }
}
