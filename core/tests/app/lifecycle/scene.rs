//! A running application whose modules and runners write a journal.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use dolmen::{
    App, AppBuilder, AppSettings, BoxError, HealthState, MigrationSet, Module, ModuleName, Operations, Phase,
    Registrar, Role, RoleRunner, Roles, RunContext, RunError, Signals,
};
use dolmen_testkit::fakes::MemoryDatabase;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::support;

/// What happened, in order.
#[derive(Debug, Clone, Default)]
pub(super) struct Journal(Arc<Mutex<Vec<String>>>);

impl Journal {
    pub(super) fn note(&self, what: impl Into<String>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what.into());
    }

    pub(super) fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// How a module starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Well,
    Fails,
    Hangs,
}

/// A module that writes when it starts and stops.
pub(super) struct Diarist {
    pub(super) name: ModuleName,
    pub(super) requires: &'static [ModuleName],
    pub(super) start: Start,
    pub(super) journal: Journal,
}

impl Diarist {
    pub(super) fn new(name: &'static str, journal: &Journal) -> Self {
        Self { name: ModuleName::new(name), requires: &[], start: Start::Well, journal: journal.clone() }
    }
}

#[async_trait]
impl Module for Diarist {
    fn name(&self) -> ModuleName {
        self.name
    }

    fn requires(&self) -> &'static [ModuleName] {
        self.requires
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name)
    }

    fn register(&self, _: &mut Registrar<'_>) {}

    async fn start(&self) -> Result<(), BoxError> {
        self.journal.note(format!("{} starts", self.name));
        match self.start {
            Start::Well => Ok(()),
            Start::Fails => Err("no cache".into()),
            Start::Hangs => std::future::pending().await,
        }
    }

    async fn stop(&self) -> Result<(), BoxError> {
        self.journal.note(format!("{} stops", self.name));
        Ok(())
    }
}

type Work = Box<dyn FnOnce(RunContext) -> BoxFuture<'static, Result<(), BoxError>> + Send>;

/// A runner made of a closure.
pub(super) struct Runner {
    role: Option<Role>,
    name: &'static str,
    work: Work,
}

impl Runner {
    pub(super) fn new<F>(
        role: impl Into<Option<Role>>,
        name: &'static str,
        work: impl FnOnce(RunContext) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), BoxError>> + Send + 'static,
    {
        Self { role: role.into(), name, work: Box::new(|context| work(context).boxed()) }
    }

    /// Serves until the drain, and writes both down.
    pub(super) fn obedient(role: impl Into<Option<Role>>, name: &'static str, journal: &Journal) -> Self {
        let journal = journal.clone();
        Self::new(role, name, async move |context: RunContext| {
            journal.note(format!("{name} serves"));
            context.ready();
            context.shutdown().draining().await;
            journal.note(format!("{name} drains"));
            Ok(())
        })
    }
}

#[async_trait]
impl RoleRunner for Runner {
    fn role(&self) -> Option<Role> {
        self.role
    }

    fn name(&self) -> &'static str {
        self.name
    }

    async fn run(self: Box<Self>, context: RunContext) -> Result<(), BoxError> {
        (self.work)(context).await
    }
}

struct Channel(mpsc::UnboundedReceiver<()>);

impl Signals for Channel {
    async fn next(&mut self) {
        if self.0.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
    }
}

/// Settings with times that tests can tell apart.
pub(super) fn settings() -> AppSettings {
    AppSettings::default()
        .with_shutdown_delay(Duration::from_secs(5))
        .with_shutdown_grace(Duration::from_secs(20))
}

/// An application in memory with these settings.
pub(super) fn builder() -> AppBuilder {
    App::builder(support::ports(&MemoryDatabase::new())).settings(settings())
}

/// The role of most tests: it has no runner but the test's own.
pub(super) fn web() -> Roles {
    Roles::of(&[Role::Web])
}

/// An application that runs.
pub(super) struct Running {
    pub(super) operations: Operations,
    signals: mpsc::UnboundedSender<()>,
    run: JoinSet<Result<(), RunError>>,
}

impl Running {
    pub(super) fn begin(app: App, roles: Roles) -> Self {
        let operations = app.operations().clone();
        let (signals, receiver) = mpsc::unbounded_channel();
        let mut run = JoinSet::new();
        run.spawn(app.run_with(roles, Channel(receiver)));
        Self { operations, signals, run }
    }

    /// Begins, and waits until it is ready.
    pub(super) async fn ready(app: App, roles: Roles) -> Self {
        let running = Self::begin(app, roles);
        tokio::time::timeout(Duration::from_mins(1), running.operations.until_ready()).await.unwrap();
        running
    }

    pub(super) fn signal(&self) {
        self.signals.send(()).unwrap();
    }

    pub(super) async fn until(&self, phase: Phase) {
        let reached = async {
            while self.operations.info().phase != phase {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), reached).await.unwrap();
    }

    pub(super) async fn end(mut self) -> Result<(), RunError> {
        tokio::time::timeout(Duration::from_mins(2), self.run.join_next()).await.unwrap().unwrap().unwrap()
    }

    /// What readiness says of one check.
    pub(super) async fn check(&self, name: &str) -> (HealthState, String) {
        let report = self.operations.readiness().await;
        let check = report.checks.iter().find(|check| check.name == name).unwrap();
        (check.state, check.detail.clone().unwrap_or_default())
    }
}
