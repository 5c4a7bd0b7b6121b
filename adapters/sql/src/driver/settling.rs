//! Commits whose caller went away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sqlx::{Connection, Database};
use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::lent::Lent;

/// How long an abandoned commit holds up others; a network that is down must not hold them up for longer.
const LIMIT: Duration = Duration::from_secs(2);

/// Counts commits that were sent and whose caller did not wait for the answer.
///
/// Such a commit may still take place. Transactions of this process begin only after it did or did not, so that whoever
/// tries again finds one of two states, and nothing appears later.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settling(Arc<State>);

#[derive(Debug, Default)]
struct State {
    unsettled: AtomicUsize,
    settled: Notify,
}

impl Settling {
    /// Waits until no abandoned commit is on its way.
    pub(crate) async fn wait(&self) {
        if self.0.unsettled.load(Ordering::Acquire) == 0 {
            return;
        }
        loop {
            let settled = self.0.settled.notified();
            if self.0.unsettled.load(Ordering::Acquire) == 0 {
                return;
            }
            settled.await;
        }
    }

    fn finish(&self) {
        self.0.unsettled.fetch_sub(1, Ordering::AcqRel);
        self.0.settled.notify_waiters();
    }
}

/// A connection on which a commit is under way.
pub(crate) struct Committing<DB: Database> {
    lent: Option<Lent<DB>>,
    settling: Settling,
}

impl<DB: Database> Committing<DB> {
    pub(crate) fn new(lent: Lent<DB>, settling: Settling) -> Self {
        Self { lent: Some(lent), settling }
    }

    pub(crate) fn connection(&mut self) -> Option<&mut DB::Connection> {
        self.lent.as_deref_mut()
    }

    /// The answer came.
    pub(crate) fn answered(mut self) -> Option<Lent<DB>> {
        self.lent.take()
    }
}

impl<DB: Database> Drop for Committing<DB> {
    fn drop(&mut self) {
        let Some(mut lent) = self.lent.take() else { return };
        // Outside of a runtime the process is about to end, and nobody begins a transaction any more.
        let Ok(runtime) = Handle::try_current() else { return };
        let settling = self.settling.clone();
        settling.0.unsettled.fetch_add(1, Ordering::AcqRel);
        // Not tracked: it ends by itself within the limit, and what it finds out is for others that wait for it.
        drop(runtime.spawn(async move {
            // The answer to a ping comes after the answer to the commit. The connection is closed in any case.
            drop(tokio::time::timeout(LIMIT, lent.ping()).await);
            drop(lent);
            settling.finish();
        }));
    }
}
