//! What happens before any role serves: the schema, then the modules.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dolmen_ports::{Database, MigrationSet, error_chain};

use super::error::RunError;
use super::schema;
use crate::module::Module;
use crate::operations::Status;

/// The modules in the order of their start, and how many have started.
#[derive(Clone)]
pub(super) struct Modules {
    pub(super) in_order: Arc<[Arc<dyn Module>]>,
    pub(super) started: Arc<AtomicUsize>,
    pub(super) start_deadline: Duration,
    pub(super) stop_deadline: Duration,
}

/// How the schema gets there.
#[derive(Debug, Clone, Copy)]
pub(super) enum SchemaPlan {
    /// This process applies it.
    Migrate,
    /// Somebody else does; look this often.
    Wait(Duration),
}

/// Prepares the process: afterwards runners can serve. It can be dropped at any point; [`Modules::stop`] then stops
/// the modules that have started by then.
pub(super) async fn prepare(
    database: Database,
    sets: Vec<MigrationSet>,
    plan: SchemaPlan,
    modules: Modules,
    status: Status,
) -> Result<(), RunError> {
    match plan {
        SchemaPlan::Migrate => {
            schema::migrate(&database, &sets, &status).await.map_err(RunError::Migrate)?;
        }
        SchemaPlan::Wait(poll) => schema::wait_until_migrated(&database, &sets, &status, poll).await,
    }
    modules.start().await
}

impl Modules {
    async fn start(&self) -> Result<(), RunError> {
        for module in self.in_order.iter() {
            match tokio::time::timeout(self.start_deadline, module.start()).await {
                Ok(Ok(())) => self.started.fetch_add(1, Ordering::AcqRel),
                Ok(Err(source)) => return Err(RunError::ModuleStart { module: module.name(), source }),
                Err(_) => {
                    let deadline = self.start_deadline;
                    return Err(RunError::ModuleStartTimeout { module: module.name(), deadline });
                }
            };
        }
        Ok(())
    }

    /// Stops, in reverse order, each module that has started. A module that fails to stop does not keep the others
    /// from it.
    pub(super) async fn stop(&self) {
        let started = self.started.load(Ordering::Acquire);
        for module in self.in_order.iter().take(started).rev() {
            let name = module.name();
            match tokio::time::timeout(self.stop_deadline, module.stop()).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    tracing::warn!(module = %name, error = error_chain(&*error), "module did not stop well");
                }
                Err(_) => tracing::warn!(module = %name, "module did not stop in time"),
            }
        }
    }
}
