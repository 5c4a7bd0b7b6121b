//! Cancelling a future at a chosen await.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Runs a future until it has waited `waits` times, then drops it; `None` when it was dropped.
///
/// Called with 0, 1, 2 … until it returns `Some`, it cancels the future at every point at which it can be cancelled.
pub(super) async fn after_waits<T>(waits: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut waited = 0;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if waited == waits => Poll::Ready(None),
        Poll::Pending => {
            waited += 1;
            Poll::Pending
        }
    })
    .await
}
