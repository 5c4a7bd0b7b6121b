//! What the runners of a process share.

use std::sync::{Arc, Mutex};

use crate::app_ports::AppPorts;
use crate::operations::Operations;
use crate::registrar::{Registration, ScheduleRegistration};
use crate::registry::Registry;
use crate::routes::ModuleRoutes;
use crate::runner::{RunContext, Shutdown};

/// The parts that every runner's context is made of.
#[derive(Debug)]
pub(super) struct Stage {
    ports: AppPorts,
    registry: Arc<Registry>,
    schedules: Arc<Vec<ScheduleRegistration>>,
    routes: Arc<Mutex<Vec<ModuleRoutes>>>,
    operations: Operations,
}

impl Stage {
    pub(super) fn new(
        ports: AppPorts,
        registry: Arc<Registry>,
        operations: Operations,
        registrations: Vec<Registration>,
    ) -> Self {
        let (mut schedules, mut routes) = (Vec::new(), Vec::new());
        for registration in registrations {
            let module = registration.module;
            schedules.extend(registration.schedules);
            routes.extend(registration.routes.into_iter().map(|set| ModuleRoutes::new(module, set)));
        }
        Self {
            ports,
            registry,
            schedules: Arc::new(schedules),
            routes: Arc::new(Mutex::new(routes)),
            operations,
        }
    }

    pub(super) fn operations(&self) -> &Operations {
        &self.operations
    }

    /// The context of the runner of this name.
    pub(super) fn context(&self, runner: &'static str, shutdown: &Shutdown) -> RunContext {
        RunContext {
            ports: self.ports.clone(),
            registry: Arc::clone(&self.registry),
            schedules: Arc::clone(&self.schedules),
            routes: Arc::clone(&self.routes),
            operations: self.operations.clone(),
            shutdown: shutdown.clone(),
            ready: self.operations.status().add_runner(runner),
        }
    }
}
