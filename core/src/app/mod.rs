//! The application: modules and runners on ports, checked as a whole and run by role.

mod error;
mod lifecycle;
mod order;
mod process;
mod run;
mod runners;
mod schema;
mod settings;
mod signals;
mod stage;
mod startup;
mod verify;
mod violation;

use std::fmt;
use std::sync::Arc;

use dolmen_ports::{HealthCheck, ModuleName};

pub use error::RunError;
pub use lifecycle::Phase;
pub use settings::{AppSettings, BuildInfo};
pub use signals::{OsSignals, Signals};
pub use violation::{BuildError, Violation};

use crate::app_ports::AppPorts;
use crate::audit::AuditTrail;
use crate::events::Subscriptions;
use crate::jobs::{DueJobs, JobAdmin};
use crate::module::Module;
use crate::operations::Operations;
use crate::registrar::{Registrar, Registration, ScheduleRegistration};
use crate::registry::Registry;
use crate::runner::RoleRunner;
use crate::schedule::{DueTicks, Schedules};

/// The application, wired and ready to run.
///
/// # Examples
/// ```no_run
/// # async fn main_of(ports: dolmen::AppPorts, greetings: impl dolmen::Module) -> Result<(), dolmen::RunError> {
/// use dolmen::{App, Roles};
/// let app = App::builder(ports).module(greetings).build();
/// app.run(Roles::all()).await
/// # }
/// ```
pub struct App {
    ports: AppPorts,
    settings: AppSettings,
    modules: Vec<Arc<dyn Module>>,
    registrations: Vec<Registration>,
    registry: Arc<Registry>,
    runners: Vec<Box<dyn RoleRunner>>,
    operations: Operations,
}

/// Collects what an [`App`] is made of.
pub struct AppBuilder {
    ports: AppPorts,
    settings: AppSettings,
    modules: Vec<Arc<dyn Module>>,
    checks: Vec<Arc<dyn HealthCheck>>,
    runners: Vec<Box<dyn RoleRunner>>,
}

impl App {
    /// An application on these ports.
    pub fn builder(ports: AppPorts) -> AppBuilder {
        AppBuilder {
            ports,
            settings: AppSettings::default(),
            modules: Vec::new(),
            checks: Vec::new(),
            runners: Vec::new(),
        }
    }

    /// Checks how the modules fit together. `run` does it first; a test does it sooner.
    ///
    /// # Errors
    /// All violations at once, each with its module, the rule and the fix.
    pub fn verify(&self) -> Result<(), BuildError> {
        let violations = verify::violations(&self.registrations, &self.ports);
        if violations.is_empty() { Ok(()) } else { Err(BuildError::new(violations)) }
    }

    /// The ports of the application.
    pub fn ports(&self) -> &AppPorts {
        &self.ports
    }

    /// Runs due jobs in the caller's task, for tests and scripts; it stays usable while the application runs.
    pub fn due_jobs(&self) -> DueJobs {
        DueJobs::new(self.ports.clone(), Arc::clone(&self.registry))
    }

    /// Looks after jobs, for operators: each change is recorded in `audit`.
    pub fn job_admin(&self, audit: AuditTrail) -> JobAdmin {
        JobAdmin::new(&self.ports, &self.registry, audit)
    }

    /// Publishes due ticks of schedules in the caller's task, for tests and scripts.
    pub fn due_ticks(&self) -> DueTicks {
        DueTicks::new(self.ports.clone(), all_schedules(&self.registrations))
    }

    /// Looks at schedules, for operators: when each came last, and when it comes next.
    pub fn schedules(&self) -> Schedules {
        Schedules::new(&self.ports, all_schedules(&self.registrations))
    }

    /// What people and platforms ask the application.
    pub fn operations(&self) -> &Operations {
        &self.operations
    }
}

impl AppBuilder {
    /// Adds a module.
    #[must_use]
    pub fn module(mut self, module: impl Module) -> Self {
        self.modules.push(Arc::new(module));
        self
    }

    /// Adds a runner; it runs when its role is chosen. Worker and scheduler are there already.
    #[must_use]
    pub fn runner(mut self, runner: impl RoleRunner) -> Self {
        self.runners.push(Box::new(runner));
        self
    }

    /// Adds a check to readiness, of an adapter that belongs to no module.
    #[must_use]
    pub fn health(mut self, check: impl HealthCheck) -> Self {
        self.checks.push(Arc::new(check));
        self
    }

    /// Chooses how the application starts, works and ends.
    #[must_use]
    pub fn settings(mut self, settings: AppSettings) -> Self {
        self.settings = settings;
        self
    }

    /// Lets each module register what it has, and fixes who subscribes to what. [`App::verify`] says whether it fits.
    pub fn build(self) -> App {
        let registrations: Vec<Registration> =
            self.modules.iter().map(|module| register(&**module)).collect();
        self.ports.events().freeze(subscriptions(&registrations));
        let jobs = registrations.iter().flat_map(|registration| registration.jobs.iter().cloned());
        let registry = Arc::new(Registry::new(jobs));
        let schedules = Schedules::new(&self.ports, all_schedules(&registrations));
        let operations =
            Operations::new(&self.ports, self.settings.clone(), self.checks, &registrations, schedules);
        App {
            ports: self.ports,
            settings: self.settings,
            modules: self.modules,
            registrations,
            registry,
            runners: self.runners,
            operations,
        }
    }
}

fn all_schedules(registrations: &[Registration]) -> Arc<Vec<ScheduleRegistration>> {
    Arc::new(registrations.iter().flat_map(|registration| registration.schedules.iter().cloned()).collect())
}

fn register(module: &dyn Module) -> Registration {
    let mut registration = Registration::new(module.name(), module.requires(), module.migrations());
    module.register(&mut Registrar::new(&mut registration));
    registration
}

/// Every event that a module owns, with the jobs that it becomes: none, when nobody subscribes.
fn subscriptions(registrations: &[Registration]) -> Subscriptions {
    let mut subscriptions = Subscriptions::new();
    for event in registrations.iter().flat_map(|registration| &registration.events) {
        subscriptions.entry(event).or_default();
    }
    for registration in registrations {
        for subscription in &registration.subscriptions {
            let jobs = registration.jobs.iter().filter(|job| job.kind == subscription.kind);
            let kinds = jobs.map(|job| (job.kind.clone(), job.queue.clone()));
            subscriptions.entry(subscription.event).or_default().extend(kinds);
        }
    }
    subscriptions
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules: Vec<ModuleName> =
            self.registrations.iter().map(|registration| registration.module).collect();
        let runners: Vec<&str> = self.runners.iter().map(|runner| runner.name()).collect();
        f.debug_struct("App").field("modules", &modules).field("runners", &runners).finish_non_exhaustive()
    }
}

impl fmt::Debug for AppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let modules: Vec<ModuleName> = self.modules.iter().map(|module| module.name()).collect();
        f.debug_struct("AppBuilder").field("modules", &modules).finish_non_exhaustive()
    }
}
