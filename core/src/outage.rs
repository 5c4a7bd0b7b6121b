//! Calm in an outage: one line in the log when it begins and one when it ends, and ever longer pauses between.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use dolmen_ports::PortError;

use crate::backoff::{Backoff, Dice};

/// Which operations of something outside of the process fail at present.
#[derive(Debug)]
pub(crate) struct Outage {
    /// What fails, for the log: `job queue`.
    of: &'static str,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    failures: BTreeMap<&'static str, u32>,
    since: Option<Instant>,
    dice: Dice,
}

impl Outage {
    pub(crate) fn new(of: &'static str, seed: u64) -> Self {
        let state = State { failures: BTreeMap::new(), since: None, dice: Dice::new(seed) };
        Self { of, state: Mutex::new(state) }
    }

    /// Notes a failure, logs it when it is the first of an outage, and says how long to wait.
    pub(crate) fn failed(&self, operation: &'static str, error: &PortError) -> Duration {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failures.is_empty() {
            state.since = Some(Instant::now());
            tracing::error!(
                operation,
                error = error.chain(),
                "the {} does not answer; trying again",
                self.of
            );
        }
        let failures = state.failures.entry(operation).or_insert(0);
        *failures = failures.saturating_add(1);
        let failures = *failures;
        let pause = Backoff::OUTAGE.delay(failures, state.dice.roll());
        pause.max(error.retry_after().unwrap_or(Duration::ZERO))
    }

    /// Notes a success, and logs the end of the outage when nothing fails any more.
    pub(crate) fn worked(&self, operation: &'static str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.failures.remove(operation).is_some()
            && state.failures.is_empty()
            && let Some(since) = state.since.take()
        {
            tracing::info!(seconds = since.elapsed().as_secs(), "the {} answers again", self.of);
        }
    }

    #[cfg(test)]
    fn is_over(&self) -> bool {
        self.state.lock().unwrap().since.is_none()
    }
}

#[cfg(test)]
mod tests {
    use dolmen_ports::ErrorKind;

    use super::*;

    #[test]
    fn an_outage_is_over_when_every_operation_that_failed_worked_again() {
        let outage = Outage::new("queue", 1);
        let error = PortError::new(ErrorKind::Unavailable, "jobs", "claim");
        outage.failed("claim", &error);
        outage.failed("rescue", &error);
        outage.worked("rescue");
        assert!(!outage.is_over(), "claim still fails");
        outage.worked("claim");
        assert!(outage.is_over());
    }

    #[test]
    fn the_pause_is_never_shorter_than_the_server_asks() {
        let error =
            PortError::new(ErrorKind::Unavailable, "jobs", "claim").with_retry_after(Duration::from_mins(1));
        assert_eq!(Outage::new("queue", 1).failed("claim", &error), Duration::from_mins(1));
    }
}
