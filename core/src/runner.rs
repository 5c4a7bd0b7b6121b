//! What runs in a role, and what it gets to run with.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dolmen_ports::BoxError;
use tokio_util::sync::CancellationToken;

use crate::app_ports::AppPorts;
use crate::operations::{Operations, ReadyFlag};
use crate::registrar::ScheduleRegistration;
use crate::registry::Registry;
use crate::role::Role;
use crate::routes::ModuleRoutes;

/// Runs in a role until the shutdown. Core brings the worker and the scheduler; web adapters bring the others.
#[async_trait]
pub trait RoleRunner: Send + 'static {
    /// The role it belongs to; `None` for what runs in every role, such as the management port.
    fn role(&self) -> Option<Role>;

    /// A name for logs, such as `web`.
    fn name(&self) -> &'static str;

    /// Runs until `context.shutdown()` asks to drain, then finishes what it holds and returns. Runners without a role are
    /// asked last, after the others have ended, so that probes answer to the end.
    ///
    /// Calls `context.ready()` once it serves. An error, or a return before the shutdown, ends the process.
    async fn run(self: Box<Self>, context: RunContext) -> Result<(), BoxError>;
}

/// Asks runners to end: first to drain, later to stop at once. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    drain: CancellationToken,
    stop: CancellationToken,
}

impl Shutdown {
    /// Nothing asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to drain: take nothing new, finish what is held.
    pub fn start_drain(&self) {
        self.drain.cancel();
    }

    /// Asks to stop at once: the time to drain is over.
    pub fn start_stop(&self) {
        self.drain.cancel();
        self.stop.cancel();
    }

    /// Waits until the drain begins.
    pub async fn draining(&self) {
        self.drain.cancelled().await;
    }

    /// Waits until everything must stop at once.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Whether the drain has begun.
    pub fn is_draining(&self) -> bool {
        self.drain.is_cancelled()
    }

    /// A token that fires when the drain begins.
    pub fn drain_token(&self) -> CancellationToken {
        self.drain.clone()
    }

    /// A token that fires when everything must stop at once.
    pub fn stop_token(&self) -> CancellationToken {
        self.stop.clone()
    }
}

/// What a runner gets.
#[derive(Debug)]
pub struct RunContext {
    pub(crate) ports: AppPorts,
    pub(crate) registry: Arc<Registry>,
    pub(crate) schedules: Arc<Vec<ScheduleRegistration>>,
    pub(crate) routes: Arc<Mutex<Vec<ModuleRoutes>>>,
    pub(crate) operations: Operations,
    pub(crate) shutdown: Shutdown,
    pub(crate) ready: ReadyFlag,
}

impl RunContext {
    /// The ports of the application.
    pub fn ports(&self) -> &AppPorts {
        &self.ports
    }

    /// When to end.
    pub fn shutdown(&self) -> &Shutdown {
        &self.shutdown
    }

    /// Says that this runner serves now.
    pub fn ready(&self) {
        self.ready.raise();
    }

    /// The routes of all modules, in the order of the modules. The first call takes them; later ones find none.
    pub fn take_routes(&self) -> Vec<ModuleRoutes> {
        std::mem::take(&mut *self.routes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What people and platforms ask the process; for probes and the management port.
    pub fn operations(&self) -> &Operations {
        &self.operations
    }
}
