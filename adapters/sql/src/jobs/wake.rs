//! Waking the workers of this process when a job was committed here.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use dolmen_ports::QueueName;
use tokio::sync::Notify;

/// Queues that got work since somebody last waited for them. A hint: polling is what finds every job.
#[derive(Debug, Default)]
pub(crate) struct Wake {
    /// Kept until a waiter takes it, so that a commit between a claim and the wait after it is not missed.
    pending: Mutex<HashSet<QueueName>>,
    notify: Notify,
    /// How often all were woken.
    all: AtomicU64,
}

impl Wake {
    /// Wakes who waits for one of the queues, now or next.
    pub(crate) fn wake(&self, queues: impl IntoIterator<Item = QueueName>) {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner).extend(queues);
        self.notify.notify_waiters();
    }

    /// Wakes whoever waits now, for whatever queue.
    pub(crate) fn wake_all(&self) {
        self.all.fetch_add(1, Ordering::AcqRel);
        self.notify.notify_waiters();
    }

    /// Waits for work in the queues (empty means all), at most `timeout`.
    pub(crate) async fn wait(&self, queues: &[QueueName], timeout: Duration) {
        let before = self.all.load(Ordering::Acquire);
        let woken = async {
            loop {
                let notified = self.notify.notified();
                tokio::pin!(notified);
                // Registered before the look at what is pending, so that nothing slips in between.
                notified.as_mut().enable();
                if self.take(queues) || self.all.load(Ordering::Acquire) != before {
                    return;
                }
                notified.await;
            }
        };
        drop(tokio::time::timeout(timeout, woken).await);
    }

    fn take(&self, queues: &[QueueName]) -> bool {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let before = pending.len();
        pending.retain(|queue| !queues.is_empty() && !queues.contains(queue));
        pending.len() < before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_hours(1);
    const MAIL: QueueName = QueueName::new("mail");

    #[tokio::test(start_paused = true)]
    async fn a_commit_before_the_wait_is_not_missed() {
        let wake = Wake::default();
        let started = tokio::time::Instant::now();
        wake.wake([MAIL]);
        wake.wait(&[MAIL], LONG).await;
        assert_eq!(started.elapsed(), Duration::ZERO);
        wake.wait(&[MAIL], LONG).await;
        assert_eq!(started.elapsed(), LONG);
    }

    #[tokio::test(start_paused = true)]
    async fn only_who_waits_for_the_queue_is_woken() {
        let wake = Wake::default();
        let started = tokio::time::Instant::now();
        let (default, mail, all) = ([QueueName::DEFAULT], [MAIL], []);
        let waiting = async {
            tokio::join!(wake.wait(&default, Duration::from_secs(5)), wake.wait(&mail, LONG));
            started.elapsed()
        };
        let waking = async { wake.wake([MAIL]) };
        let (waited, ()) = tokio::join!(waiting, waking);
        assert_eq!(waited, Duration::from_secs(5));
        wake.wake([MAIL]);
        wake.wait(&all, LONG).await;
        assert_eq!(started.elapsed(), waited);
    }
}
