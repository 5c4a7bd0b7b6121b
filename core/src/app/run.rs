//! Runs the application by role, from start to end.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use dolmen_ports::MigrationSet;
use tokio::task::JoinSet;

use super::error::RunError;
use super::order::dependency_order;
use super::process::Process;
use super::schema;
use super::signals::{OnceDone, OsSignals, Signals};
use super::stage::Stage;
use super::startup::{Modules, SchemaPlan, prepare};
use super::{App, AppSettings};
use crate::app_ports::AppPorts;
use crate::config::SettingValue;
use crate::jobs::Worker;
use crate::registrar::Registration;
use crate::role::{Role, Roles};
use crate::runner::RoleRunner;
use crate::schedule::Scheduler;

/// How long the database may take to close its connections.
const CLOSE_DEADLINE: Duration = Duration::from_secs(2);

impl App {
    /// Runs the roles until SIGTERM or SIGINT, then drains and returns. A second signal stops at once.
    ///
    /// # Contract
    /// - `RUN-1` A violation of [`App::verify`] ends the run before anything else happens.
    /// - `RUN-2` Role `migrate` applies the schema and ends. In production nothing else does: a process whose schema is
    ///   behind, or is a newer one that breaks it, waits, not ready, and says which version it found, which one it needs
    ///   and which role to run; it becomes ready by itself once the schema fits. Elsewhere every process applies the
    ///   schema first, and ends with an error when it does not fit.
    /// - `RUN-3` Modules start after those that they require and before any role serves; they stop in reverse, after
    ///   every role has ended. Runners without a role, such as the management port, run from before to after that.
    /// - `RUN-4` The process is ready when every runner serves. Its end begins with readiness: runners are asked to
    ///   drain only after the delay, and to stop at once after the grace period.
    /// - `RUN-5` A runner that fails or ends by itself ends the process with an error, after the others were drained.
    pub async fn run(self, roles: Roles) -> Result<(), RunError> {
        let signals = OsSignals::new().map_err(RunError::Signals)?;
        self.run_with(roles, signals).await
    }

    /// As [`App::run`], until `shutdown` ends instead of a signal. For tests and for programs with signals of their own.
    pub async fn run_until(
        self,
        roles: Roles,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), RunError> {
        self.run_with(roles, OnceDone(Some(Box::pin(shutdown)))).await
    }

    /// As [`App::run`], with another source of signals.
    pub async fn run_with(self, roles: Roles, signals: impl Signals) -> Result<(), RunError> {
        self.verify()?;
        let database = self.ports.database().clone();
        let result = if roles.contains(Role::Migrate) {
            self.migrate(signals).await
        } else {
            self.serve(roles, signals).await
        };
        if !matches!(result, Err(RunError::StoppedAtOnce))
            && tokio::time::timeout(CLOSE_DEADLINE, database.close()).await.is_err()
        {
            tracing::warn!("database connections did not close in time");
        }
        result
    }

    async fn migrate(self, mut signals: impl Signals) -> Result<(), RunError> {
        let order = dependency_order(&self.registrations);
        let sets = migration_sets(&self.ports, &self.registrations, &order);
        let status = self.operations.status();
        tokio::select! {
            report = schema::migrate(self.ports.database(), &sets, status) => {
                report.map(drop).map_err(RunError::Migrate)
            }
            () = signals.next() => Err(RunError::StoppedAtOnce),
        }
    }

    async fn serve(self, roles: Roles, signals: impl Signals) -> Result<(), RunError> {
        let mut runners = self.runners;
        runners.push(Box::new(Worker::new(self.settings.worker.clone())));
        runners.push(Box::new(Scheduler::new()));
        let (probes, serving) = chosen(runners, &roles)?;
        let build = &self.settings.build;
        tracing::info!(
            app = build.name(),
            version = build.version(),
            git_sha = build.git_sha(),
            environment = self.settings.environment.show(),
            %roles,
            "starting"
        );
        let order = dependency_order(&self.registrations);
        let modules = Modules {
            in_order: order.iter().filter_map(|index| self.modules.get(*index)).cloned().collect(),
            started: Arc::new(AtomicUsize::new(0)),
            start_deadline: self.settings.module_start_deadline,
            stop_deadline: self.settings.module_stop_deadline,
        };
        let status = self.operations.status().clone();
        status.change(|snapshot| {
            snapshot.roles = Some(roles.clone());
            snapshot.started_at = Some(self.ports.clock().now());
        });
        let startup = prepare(
            self.ports.database().clone(),
            migration_sets(&self.ports, &self.registrations, &order),
            schema_plan(&self.settings),
            modules.clone(),
            status,
        );
        let mut background = JoinSet::new();
        background.spawn(self.operations.heartbeat().clone().run());
        let stage = Stage::new(self.ports, self.registry, self.operations, self.registrations);
        Process::new(stage, self.settings, modules, signals).run(probes, serving, startup).await
    }
}

type BoxedRunners = Vec<Box<dyn RoleRunner>>;

/// The runners without a role, and those of the chosen roles.
fn chosen(runners: BoxedRunners, roles: &Roles) -> Result<(BoxedRunners, BoxedRunners), RunError> {
    let (probes, others): (BoxedRunners, BoxedRunners) =
        runners.into_iter().partition(|runner| runner.role().is_none());
    let serving: BoxedRunners =
        others.into_iter().filter(|runner| runner.role().is_some_and(|role| roles.contains(role))).collect();
    let has_runner = |role: &Role| serving.iter().any(|runner| runner.role() == Some(*role));
    // `all` is whatever there is; a role that somebody named must be there.
    match roles.iter().find(|role| !roles.is_all() && !has_runner(role)) {
        Some(role) => Err(RunError::NoRunner { role }),
        None => Ok((probes, serving)),
    }
}

/// In production only the role `migrate` changes the schema. Elsewhere whoever starts first brings it up to date: nobody
/// should have to learn that order to try two processes side by side.
fn schema_plan(settings: &AppSettings) -> SchemaPlan {
    if settings.environment.is_production() {
        SchemaPlan::Wait(settings.schema_poll)
    } else {
        SchemaPlan::Migrate
    }
}

fn migration_sets(ports: &AppPorts, registrations: &[Registration], order: &[usize]) -> Vec<MigrationSet> {
    let in_order = order.iter().filter_map(|index| registrations.get(*index));
    let of_modules = in_order.map(|registration| registration.migrations);
    ports.migrations().iter().copied().chain(of_modules).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_can_be_spawned() {
        fn is_send<T: Send>(_: &T) {}
        // Compiled, never called.
        let _ = |app: App| is_send(&app.run(Roles::all()));
    }
}
