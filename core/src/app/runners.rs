//! The runners of a process as tracked tasks.

use std::collections::HashMap;
use std::time::Duration;

use dolmen_ports::BoxError;
use tokio::task::{Id, JoinError, JoinSet};
use tracing::Instrument;

use crate::runner::{RoleRunner, RunContext, Shutdown};

/// How long aborted tasks may take to be dropped.
const ABORT_PATIENCE: Duration = Duration::from_millis(100);

/// Runners that share a shutdown. Dropping them aborts them.
#[derive(Debug, Default)]
pub(super) struct Runners {
    tasks: JoinSet<Result<(), BoxError>>,
    names: HashMap<Id, &'static str>,
    shutdown: Shutdown,
}

/// A runner that ended, and how.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) runner: &'static str,
    pub(super) result: Result<(), BoxError>,
}

impl Runners {
    pub(super) fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(super) fn spawn(&mut self, runner: Box<dyn RoleRunner>, context: RunContext) {
        let name = runner.name();
        let span = tracing::info_span!("runner", runner = name);
        let task = self.tasks.spawn(runner.run(context).instrument(span));
        self.names.insert(task.id(), name);
    }

    /// Waits for the next one to end; for ever when there is none.
    pub(super) async fn next(&mut self) -> Ended {
        match self.tasks.join_next_with_id().await {
            Some(Ok((id, result))) => Ended { runner: self.name(id), result },
            Some(Err(error)) => Ended { runner: self.name(error.id()), result: Err(reason(error)) },
            None => std::future::pending().await,
        }
    }

    /// Asks them to drain, then to stop, each for `patience`, and leaves behind who does neither.
    pub(super) async fn finish(&mut self, patience: Duration) {
        self.shutdown.start_drain();
        if !self.all_end_within(patience).await {
            self.shutdown.start_stop();
            self.all_end_within(patience).await;
        }
        self.leave_behind().await;
    }

    /// Aborts them. A task that blocks its thread cannot be aborted, so the wait for them has an end.
    pub(super) async fn leave_behind(&mut self) {
        self.tasks.abort_all();
        self.all_end_within(ABORT_PATIENCE).await;
    }

    async fn all_end_within(&mut self, patience: Duration) -> bool {
        let all = async { while self.tasks.join_next().await.is_some() {} };
        tokio::time::timeout(patience, all).await.is_ok()
    }

    fn name(&self, id: Id) -> &'static str {
        self.names.get(&id).copied().unwrap_or("unknown")
    }
}

fn reason(error: JoinError) -> BoxError {
    // The panic itself was printed by the panic hook, with its place.
    if error.is_panic() { "it panicked".into() } else { error.into() }
}
