//! What all parts of one worker share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use dolmen_ports::{Clock, Database, Inbox, JobQueue, Lease, Metrics, SessionStore, WorkerId};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::held::HeldLeases;
use super::settings::WorkerSettings;
use crate::app_ports::AppPorts;
use crate::backoff::{Dice, seed_of};
use crate::operations::ReadyFlag;
use crate::outage::Outage;
use crate::registry::Registry;
use crate::runner::Shutdown;

/// One run of one worker.
#[derive(Debug)]
pub(super) struct Engine {
    pub(super) settings: WorkerSettings,
    /// Fresh per run, so that a restarted process is never taken for its predecessor.
    pub(super) id: WorkerId,
    pub(super) database: Database,
    pub(super) queue: Arc<dyn JobQueue>,
    pub(super) registry: Arc<Registry>,
    pub(super) metrics: Metrics,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) inbox: Option<Arc<dyn Inbox>>,
    pub(super) sessions: Option<Arc<dyn SessionStore>>,
    pub(super) held: Arc<HeldLeases>,
    pub(super) outage: Outage,
    /// Fires when the time to drain is over.
    pub(super) stop: CancellationToken,
    /// Fires when the drain begins.
    pub(super) drain: CancellationToken,
    /// Jobs wait to be handed over for completion.
    pub(super) completions_wait: Notify,
    /// There may be work that no wake-up of the queue told of.
    pub(super) look_again: Notify,
    /// There may be jobs whose last chance it is.
    pub(super) last_chances: AtomicBool,
    /// Whether to try again when the queue does not answer; tests that drain a queue want the error.
    pub(super) patient: bool,
    ready: ReadyFlag,
    interrupted: Mutex<Vec<(Lease, String)>>,
}

impl Engine {
    pub(super) fn new(
        ports: &AppPorts,
        registry: Arc<Registry>,
        settings: WorkerSettings,
        shutdown: &Shutdown,
        ready: ReadyFlag,
    ) -> Self {
        let id = ports.ids().next();
        Self {
            settings,
            id: WorkerId::new(id),
            database: ports.database().clone(),
            queue: Arc::clone(ports.queue()),
            registry,
            metrics: ports.metrics().clone(),
            clock: Arc::clone(ports.clock()),
            inbox: ports.inbox().cloned(),
            sessions: ports.sessions().cloned(),
            held: Arc::new(HeldLeases::new(ports.metrics().clone())),
            outage: Outage::new("job queue", seed_of(id)),
            stop: shutdown.stop_token(),
            drain: shutdown.drain_token(),
            completions_wait: Notify::new(),
            look_again: Notify::new(),
            last_chances: AtomicBool::new(false),
            patient: true,
            ready,
            interrupted: Mutex::new(Vec::new()),
        }
    }

    /// A stream of jitter of this worker.
    pub(super) fn dice(&self) -> Dice {
        Dice::new(seed_of(self.id.as_uuid()))
    }

    /// The queue answered a claim: the worker serves.
    pub(super) fn serves(&self) {
        self.ready.raise();
    }

    /// Remembers a lease whose attempt the shutdown ended, to be given back with the others.
    pub(super) fn interrupt(&self, lease: Lease, kind: &str) {
        self.interrupted.lock().unwrap_or_else(PoisonError::into_inner).push((lease, kind.to_owned()));
    }

    /// The leases to give back: those of attempts that the shutdown ended and of attempts that did not end.
    pub(super) fn leases_to_release(&self) -> Vec<(Lease, String)> {
        let mut leases =
            std::mem::take(&mut *self.interrupted.lock().unwrap_or_else(PoisonError::into_inner));
        for held in self.held.unfinished() {
            if !leases.iter().any(|(lease, _)| *lease == held.lease()) {
                leases.push((held.lease(), held.kind().to_owned()));
            }
        }
        leases
    }
}
