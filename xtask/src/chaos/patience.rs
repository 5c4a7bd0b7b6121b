//! Waiting for something to become true, and for nothing else.

use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};

/// Lets time pass.
#[expect(
    clippy::disallowed_methods,
    reason = "the programs under test run meanwhile; there is no runtime here"
)]
pub(super) fn pause(time: Duration) {
    thread::sleep(time);
}

/// Looks every millisecond until `look` finds something, at most for `limit`.
pub(super) fn until<T>(limit: Duration, what: &str, look: impl FnMut() -> Outcome<Option<T>>) -> Outcome<T> {
    until_or_not(limit, look)?
        .ok_or_else(|| Failure::new(format!("waited {} s in vain for {what}", limit.as_secs())))
}

/// The same, where running out of time is an answer too.
pub(super) fn until_or_not<T>(
    limit: Duration,
    mut look: impl FnMut() -> Outcome<Option<T>>,
) -> Outcome<Option<T>> {
    let start = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(Some(found));
        }
        if start.elapsed() > limit {
            return Ok(None);
        }
        pause(Duration::from_millis(1));
    }
}
