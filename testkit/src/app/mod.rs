//! A whole application in a test: modules on fakes, jobs and schedules under the test's control.

mod assert;
mod builder;
mod fake_ports;
mod inline;
mod job_match;
mod leftovers;
mod records;
mod scenario;
mod time;
mod wait;
mod watch;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dolmen::{App, AppPorts, DueJobs, DueTicks, JobOptions, JobRun, Operations};
use dolmen_ports::{
    Database, Email, Enqueued, Event, Job, JobFilter, JobId, JobQueue, JobRecord, PortResult, ReadTx, Scope,
    Uuid, WriteTx,
};

pub use self::builder::TestAppBuilder;
pub use self::fake_ports::FakePorts;
use self::inline::Inline;
pub use self::job_match::JobMatch;
use self::records::{events_in, jobs_in};
pub use self::scenario::{Aftermath, Scenario};
use self::time::Ageing;
pub use self::watch::EventWatch;

/// How many jobs are read at once.
const PAGE: u32 = 200;

/// An application whose time and jobs stand still until the test moves them.
///
/// Jobs run in the test's own task, one after the other, when it calls [`TestApp::drain`] or waits for something. A test
/// that leaves jobs behind fails when the application is dropped: see [`TestApp::finish`]. Nothing runs in the background:
/// no role, and no [`Module::start`](dolmen::Module::start).
///
/// # Examples
/// ```
/// use dolmen::{Job, JobContext, JobError, MigrationSet, Module, ModuleName, Registrar, Scope};
/// use dolmen_testkit::{TestApp, assert_enqueued};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Greet { name: String }
/// impl Job for Greet {
///     const KIND: &'static str = "greetings.greet";
/// }
///
/// struct Greetings;
/// impl Module for Greetings {
///     fn name(&self) -> ModuleName { ModuleName::new("greetings") }
///     fn migrations(&self) -> MigrationSet { MigrationSet::none(self.name()) }
///     fn register(&self, registrar: &mut Registrar<'_>) {
///         registrar.job::<Greet>(async |_: Greet, _: JobContext| Ok::<(), JobError>(()));
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let app = TestApp::builder().module(|_| Greetings).start().unwrap();
/// app.enqueue(Scope::System, &Greet { name: "Ada".to_owned() }).await.unwrap();
/// assert_enqueued!(app, Greet, |job| job.name == "Ada");
/// assert_eq!(app.drain().await.unwrap().len(), 1);
/// # });
/// ```
pub struct TestApp {
    ports: AppPorts,
    operations: Operations,
    fakes: FakePorts,
    jobs: DueJobs,
    ticks: DueTicks,
    inline: Option<Arc<Inline>>,
    ageing: Option<Ageing>,
    checks_leftovers: AtomicBool,
}

impl TestApp {
    /// An application on fakes.
    pub fn builder() -> TestAppBuilder {
        TestAppBuilder::new()
    }

    /// Around an application that was wired elsewhere, by the functions that `main` calls, with the clock and the mailer
    /// of `fakes` and with whatever database. The schema has to be there. The application itself may run meanwhile, in
    /// another task.
    pub fn around(fakes: FakePorts, app: &App) -> Self {
        Self {
            ports: app.ports().clone(),
            operations: app.operations().clone(),
            fakes,
            jobs: app.due_jobs(),
            ticks: app.due_ticks(),
            inline: None,
            ageing: None,
            checks_leftovers: AtomicBool::new(true),
        }
    }

    /// What people and platforms ask the application.
    pub fn operations(&self) -> &Operations {
        &self.operations
    }

    /// The fakes that it runs on.
    pub fn fakes(&self) -> &FakePorts {
        &self.fakes
    }

    /// Its database.
    pub fn database(&self) -> &Database {
        self.ports.database()
    }

    fn queue(&self) -> &Arc<dyn JobQueue> {
        self.ports.queue()
    }

    /// Publishes an event in a transaction of its own, as its module would.
    pub async fn publish<E: Event>(&self, scope: Scope, event: &E) -> PortResult<Uuid> {
        let events = self.ports.events();
        self.database().scope(scope).write(async |tx: &mut WriteTx| events.publish(tx, event).await).await
    }

    /// Enqueues a job in a transaction of its own.
    pub async fn enqueue<J: Job>(&self, scope: Scope, job: &J) -> PortResult<JobId> {
        Ok(self.enqueue_with(scope, job, JobOptions::new()).await?.id())
    }

    /// Enqueues a job with options in a transaction of its own.
    pub async fn enqueue_with<J: Job>(
        &self,
        scope: Scope,
        job: &J,
        options: JobOptions,
    ) -> PortResult<Enqueued> {
        let jobs = self.ports.jobs();
        let enqueue = async |tx: &mut WriteTx| jobs.enqueue_with(tx, job, options.clone()).await;
        self.database().scope(scope).write(enqueue).await
    }

    /// Runs jobs until none is due, those included that other jobs enqueue; returns the attempts.
    ///
    /// A job that failed is due again later: [`TestApp::advance`] takes the clock there. Where jobs run inline, the attempts
    /// since the last call are returned.
    pub async fn drain(&self) -> PortResult<Vec<JobRun>> {
        match &self.inline {
            Some(inline) => inline.drain().await,
            None => self.jobs.run().await,
        }
    }

    /// The mails that were sent, in that order.
    pub fn mails(&self) -> Vec<Email> {
        self.fakes.mailer().sent()
    }

    /// The jobs of a kind in whatever state, in the order in which they were made.
    pub async fn jobs<J: Job>(&self) -> PortResult<Vec<J>> {
        Ok(jobs_in(&self.records(&JobFilter::all().with_kind(J::KIND)).await?))
    }

    /// The events of a type that were published, in that order.
    ///
    /// An event becomes one job per subscription, and is known by those: one that no module subscribes to is seen only
    /// if the test watches it, with [`TestAppBuilder::watch`] or an [`EventWatch`].
    pub async fn events<E: Event>(&self) -> PortResult<Vec<E>> {
        Ok(events_in(&self.records(&JobFilter::all()).await?))
    }

    /// The stored jobs that match, oldest first, with no limit.
    pub async fn records(&self, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
        let mut filter = filter.clone();
        filter.limit = PAGE;
        let read = self.database().system().read(async |tx: &mut ReadTx| {
            let mut all = Vec::new();
            loop {
                let page = self.queue().list(tx, &filter).await?;
                filter.before = page.last().map(|record| record.id);
                let is_last = page.len() < PAGE as usize;
                all.extend(page);
                if is_last {
                    all.reverse();
                    return Ok(all);
                }
            }
        });
        read.await
    }

    /// Lets jobs be left behind: neither `finish` nor the drop looks for them.
    pub fn ignore_leftovers(&self) {
        self.checks_leftovers.store(false, Ordering::SeqCst);
    }
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp").field("ports", &self.ports).finish_non_exhaustive()
    }
}
