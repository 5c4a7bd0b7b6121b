//! What the running process knows of itself.

use std::sync::Arc;

use dolmen_ports::Timestamp;
use tokio::sync::watch;

use super::reports::SchemaState;
use crate::app::Phase;
use crate::role::Roles;

/// A snapshot of the process.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) phase: Phase,
    /// Whether it was ready once.
    pub(crate) started: bool,
    pub(crate) roles: Option<Roles>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) schema: SchemaState,
    pub(crate) runners: Vec<RunnerState>,
    /// Whether all runners of the chosen roles were spawned.
    pub(crate) complete: bool,
}

/// Whether a runner serves.
#[derive(Debug, Clone)]
pub(crate) struct RunnerState {
    pub(crate) name: &'static str,
    pub(crate) ready: bool,
}

impl Snapshot {
    /// Whether every runner serves.
    pub(crate) fn all_serve(&self) -> bool {
        self.complete && self.runners.iter().all(|runner| runner.ready)
    }
}

/// The shared, watchable snapshot; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Status(Arc<watch::Sender<Snapshot>>);

impl Status {
    pub(crate) fn new() -> Self {
        Self(Arc::new(watch::Sender::new(Snapshot {
            phase: Phase::Starting,
            started: false,
            roles: None,
            started_at: None,
            schema: SchemaState::Unknown,
            runners: Vec::new(),
            complete: false,
        })))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.0.borrow().clone()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        self.0.send_modify(change);
    }

    /// Waits until the snapshot satisfies the condition.
    pub(crate) async fn wait_for(&self, condition: impl FnMut(&Snapshot) -> bool) {
        // It cannot fail: this handle keeps the sender alive.
        drop(self.0.subscribe().wait_for(condition).await);
    }

    /// Adds a runner that does not serve yet; the flag says when it does.
    pub(crate) fn add_runner(&self, name: &'static str) -> ReadyFlag {
        let mut index = 0;
        self.change(|snapshot| {
            index = snapshot.runners.len();
            snapshot.runners.push(RunnerState { name, ready: false });
        });
        ReadyFlag { status: self.clone(), index }
    }
}

/// With it a runner says that it serves.
#[derive(Debug, Clone)]
pub(crate) struct ReadyFlag {
    status: Status,
    index: usize,
}

impl ReadyFlag {
    /// A flag that nobody looks at.
    pub(crate) fn detached() -> Self {
        Status::new().add_runner("detached")
    }

    pub(crate) fn raise(&self) {
        self.status.change(|snapshot| {
            if let Some(runner) = snapshot.runners.get_mut(self.index) {
                runner.ready = true;
            }
        });
    }
}
