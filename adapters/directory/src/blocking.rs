//! File work off the runtime's threads, with a point of no return.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use dolmen_ports::{ErrorKind, PortError, PortResult};

use crate::failure::Operation;

const RUNNING: u8 = 0;
const COMMITTING: u8 = 1;
const ABANDONED: u8 = 2;

/// Decides between the thread that is about to commit and the caller that gave up: exactly one of them wins.
#[derive(Debug, Clone, Default)]
pub(crate) struct Commit(Arc<AtomicU8>);

impl Commit {
    /// Passes the point of no return, unless the caller is gone.
    pub(crate) fn begin(&self, operation: Operation) -> PortResult<()> {
        self.0
            .compare_exchange(RUNNING, COMMITTING, Ordering::AcqRel, Ordering::Acquire)
            .map(|_| ())
            .map_err(|_| operation.error(ErrorKind::Unavailable).with_detail("the caller gave up"))
    }

    fn abandon(&self) {
        // Too late when the other side is committing: the whole effect appears.
        let _ = self.0.compare_exchange(RUNNING, ABANDONED, Ordering::AcqRel, Ordering::Acquire);
    }
}

struct AbandonOnDrop(Commit);

impl Drop for AbandonOnDrop {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Runs file work on a thread that may block.
///
/// # Cancel safety
/// When the future is dropped, `work` goes on to its end, but can no longer pass [`Commit::begin`].
pub(crate) async fn run<T, F>(operation: Operation, work: F) -> PortResult<T>
where
    T: Send + 'static,
    F: FnOnce(&Commit) -> PortResult<T> + Send + 'static,
{
    let commit = Commit::default();
    let _caller = AbandonOnDrop(commit.clone());
    let lost = |error: tokio::task::JoinError| -> PortError {
        let kind = if error.is_panic() { ErrorKind::Internal } else { ErrorKind::Unavailable };
        operation.error(kind).with_source(error)
    };
    tokio::task::spawn_blocking(move || work(&commit)).await.map_err(lost)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_first_wins() {
        let operation = Operation::objects("put");
        let abandoned = Commit::default();
        abandoned.abandon();
        assert!(abandoned.begin(operation).is_err());

        let committed = Commit::default();
        assert!(committed.begin(operation).is_ok());
        committed.abandon();
        assert_eq!(committed.0.load(Ordering::Acquire), COMMITTING);
    }

    #[tokio::test]
    async fn dropping_the_future_forbids_the_commit() {
        let (gate, opened) = std::sync::mpsc::channel::<()>();
        let (answer, answered) = tokio::sync::oneshot::channel();
        let operation = Operation::objects("put");
        let mut work = Box::pin(run(operation, move |commit| {
            let _ = opened.recv();
            let _ = answer.send(commit.begin(operation).is_err());
            Ok(())
        }));
        assert!(futures_util::poll!(&mut work).is_pending());
        drop(work);
        gate.send(()).unwrap();
        assert!(answered.await.unwrap(), "the thread must not commit for a caller that is gone");
    }
}
