//! Tells an attempt to stop, once and for good.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A token of one attempt; part of its state, since there is one for each job.
#[derive(Debug, Default)]
pub(crate) struct Cancel {
    is_fired: AtomicBool,
    waiters: Notify,
}

impl Cancel {
    pub(crate) fn fire(&self) {
        self.is_fired.store(true, Ordering::Release);
        self.waiters.notify_waiters();
    }

    pub(crate) fn is_fired(&self) -> bool {
        self.is_fired.load(Ordering::Acquire)
    }

    /// Waits until it fires. May be dropped.
    pub(crate) async fn fired(&self) {
        // Made before the look: it hears of whatever fires from here on.
        let fires = self.waiters.notified();
        if !self.is_fired() {
            fires.await;
        }
    }
}
