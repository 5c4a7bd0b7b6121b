//! What a module says it has.

use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    Event, HealthCheck, Job, JobId, MigrationSet, ModuleName, NewJob, PortResult, QueueName, Scope,
    Timestamp, Uuid,
};

use crate::events::{EventHandler, erase_event};
use crate::jobs::{ErasedHandler, JobHandler, erase};
use crate::routes::RouteSet;
use crate::schedule::Cron;

/// Collects what one module has. A module's `register` calls it line by line.
pub struct Registrar<'r> {
    registration: &'r mut Registration,
}

/// All that one module registered.
pub(crate) struct Registration {
    pub(crate) module: ModuleName,
    pub(crate) requires: &'static [ModuleName],
    pub(crate) migrations: MigrationSet,
    pub(crate) jobs: Vec<JobRegistration>,
    pub(crate) events: Vec<&'static str>,
    pub(crate) subscriptions: Vec<SubscriptionRegistration>,
    pub(crate) schedules: Vec<ScheduleRegistration>,
    pub(crate) routes: Vec<RouteSet>,
    pub(crate) health: Vec<Arc<dyn HealthCheck>>,
}

/// A kind of job and its handler.
#[derive(Clone)]
pub(crate) struct JobRegistration {
    pub(crate) module: ModuleName,
    pub(crate) kind: String,
    pub(crate) queue: QueueName,
    pub(crate) max_attempts: u32,
    pub(crate) timeout: Duration,
    /// The newest version of its payload that the handler reads.
    pub(crate) version: u32,
    pub(crate) handler: Arc<dyn ErasedHandler>,
    /// Where the module registered it.
    pub(crate) at: &'static Location<'static>,
}

/// A subscription; its handler is the job of the same kind.
pub(crate) struct SubscriptionRegistration {
    pub(crate) event: &'static str,
    pub(crate) kind: String,
}

/// A schedule and the job that each of its ticks becomes.
#[derive(Clone)]
pub(crate) struct ScheduleRegistration {
    /// `<module>.<name>`.
    pub(crate) name: String,
    pub(crate) cron: Cron,
    pub(crate) kind: &'static str,
    pub(crate) job: Arc<JobOfTick>,
    /// Where the module registered it.
    pub(crate) at: &'static Location<'static>,
}

/// Makes the job of a tick, under the given id.
pub(crate) type JobOfTick = dyn Fn(Uuid, Timestamp) -> PortResult<NewJob> + Send + Sync;

impl std::fmt::Debug for ScheduleRegistration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ScheduleRegistration")
            .field("name", &self.name)
            .field("cron", &self.cron)
            .finish_non_exhaustive()
    }
}

impl Registration {
    pub(crate) fn new(module: ModuleName, requires: &'static [ModuleName], migrations: MigrationSet) -> Self {
        Self {
            module,
            requires,
            migrations,
            jobs: Vec::new(),
            events: Vec::new(),
            subscriptions: Vec::new(),
            schedules: Vec::new(),
            routes: Vec::new(),
            health: Vec::new(),
        }
    }
}

impl<'r> Registrar<'r> {
    pub(crate) fn new(registration: &'r mut Registration) -> Self {
        Self { registration }
    }

    /// The module that registers.
    pub fn module(&self) -> ModuleName {
        self.registration.module
    }

    /// Handles a kind of job.
    #[track_caller]
    pub fn job<J: Job>(&mut self, handler: impl JobHandler<J>) {
        self.registration.jobs.push(JobRegistration {
            module: self.registration.module,
            kind: J::KIND.to_owned(),
            queue: J::QUEUE,
            max_attempts: J::MAX_ATTEMPTS,
            timeout: J::TIMEOUT,
            version: J::VERSION,
            handler: erase(handler),
            at: Location::caller(),
        });
    }

    /// Owns an event: this module publishes it, and only this one.
    pub fn event<E: Event>(&mut self) {
        self.registration.events.push(E::NAME);
    }

    /// Reacts to an event of a module, in a job of kind `<this module>.<name>`.
    #[track_caller]
    pub fn subscribe<E: Event>(&mut self, name: &'static str, handler: impl EventHandler<E>) {
        let kind = format!("{}.{name}", self.registration.module);
        self.registration.subscriptions.push(SubscriptionRegistration { event: E::NAME, kind: kind.clone() });
        self.registration.jobs.push(JobRegistration {
            module: self.registration.module,
            kind,
            queue: QueueName::DEFAULT,
            max_attempts: 10,
            timeout: Duration::from_mins(5),
            version: 1,
            handler: erase_event(handler),
            at: Location::caller(),
        });
    }

    /// Enqueues a job, in the system scope, at each tick of `cron`. `job` makes it from the tick's time.
    #[track_caller]
    pub fn schedule<J: Job>(
        &mut self,
        name: &'static str,
        cron: Cron,
        job: impl Fn(Timestamp) -> J + Send + Sync + 'static,
    ) {
        let job_of_tick = move |id: Uuid, tick: Timestamp| {
            let payload = serde_json::to_string(&job(tick)).map_err(|error| {
                dolmen_ports::PortError::new(
                    dolmen_ports::ErrorKind::InvalidInput,
                    "schedules",
                    "make the job of a tick",
                )
                .with_detail(format!("the payload of {} cannot be written as JSON", J::KIND))
                .with_source(error)
            })?;
            let mut new_job = NewJob::new(JobId::new(id), J::KIND, payload, Scope::System);
            new_job.queue = J::QUEUE;
            new_job.max_attempts = J::MAX_ATTEMPTS;
            new_job.timeout = J::TIMEOUT;
            new_job.version = J::VERSION;
            Ok(new_job)
        };
        self.registration.schedules.push(ScheduleRegistration {
            name: format!("{}.{name}", self.registration.module),
            cron,
            kind: J::KIND,
            job: Arc::new(job_of_tick),
            at: Location::caller(),
        });
    }

    /// Offers routes. Web adapters add friendlier methods for their own kind of route.
    pub fn routes(&mut self, routes: RouteSet) {
        self.registration.routes.push(routes);
    }

    /// Adds a check to readiness.
    pub fn health(&mut self, check: impl HealthCheck) {
        self.registration.health.push(Arc::new(check));
    }
}

impl std::fmt::Debug for Registrar<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registrar").field("module", &self.registration.module).finish_non_exhaustive()
    }
}
