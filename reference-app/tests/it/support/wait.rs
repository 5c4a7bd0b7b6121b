//! Waiting for a state, with a deadline.

use std::time::Duration;

use tokio::time::{sleep, timeout};

/// What every wait allows: far more than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// Looks until there is something to see.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = timeout(PATIENCE, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            sleep(LOOK_AGAIN).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what} did not come within {PATIENCE:?}"))
}
