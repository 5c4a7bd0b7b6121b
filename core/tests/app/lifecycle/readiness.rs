use std::time::Duration;

use async_trait::async_trait;
use dolmen::{App, HealthCheck, HealthReport, HealthState, Phase, Registrar, Role, RunContext};
use dolmen_testkit::fakes::{FixedHealth, MemoryDatabase};
use tokio::sync::oneshot;

use super::scene::{Journal, Runner, Running, builder, settings, web};
use crate::support::{self, TestModule};

#[tokio::test(start_paused = true)]
async fn the_process_is_ready_when_every_runner_serves() {
    let journal = Journal::default();
    let (serve, told) = oneshot::channel::<()>();
    let late = Runner::new(Role::Web, "late", async move |context: RunContext| {
        told.await?;
        context.ready();
        context.shutdown().draining().await;
        Ok(())
    });
    let app = builder().runner(Runner::obedient(Role::Web, "web", &journal)).runner(late).build();
    let running = Running::begin(app, web());
    while journal.entries().is_empty() {
        tokio::task::yield_now().await;
    }
    let report = running.operations.readiness().await;
    assert_eq!((report.ready, report.phase), (false, Phase::Starting));
    assert_eq!(running.check("runner late").await, (HealthState::Down, "does not serve yet".to_owned()));
    assert!(!running.operations.startup().started);
    serve.send(()).unwrap();
    running.operations.until_ready().await;
    assert!(running.operations.readiness().await.ready);
    assert!(running.operations.startup().started);
    running.signal();
    running.end().await.unwrap();
}

/// A module with a check.
struct Checked<C>(C);

#[async_trait]
impl<C: HealthCheck + Clone> dolmen::Module for Checked<C> {
    fn name(&self) -> dolmen::ModuleName {
        dolmen::ModuleName::new("checked")
    }

    fn migrations(&self) -> dolmen::MigrationSet {
        dolmen::MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.health(self.0.clone());
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_is_down_makes_the_process_not_ready_and_a_degraded_one_does_not() {
    let journal = Journal::default();
    let health = FixedHealth::new("printer");
    let disk = FixedHealth::new("disk");
    let app = builder()
        .module(Checked(health.clone()))
        .health(disk.clone())
        .runner(Runner::obedient(Role::Web, "web", &journal))
        .build();
    let running = Running::ready(app, web()).await;
    for (report, ready) in [
        (HealthReport::ok(), true),
        (HealthReport::degraded("out of blue"), true),
        (HealthReport::down("out of paper"), false),
    ] {
        health.set(report.clone());
        assert_eq!(running.operations.readiness().await.ready, ready, "{report:?}");
    }
    assert_eq!(running.check("printer").await, (HealthState::Down, "out of paper".to_owned()));
    assert_eq!(running.check("database").await.0, HealthState::Ok);
    health.set(HealthReport::ok());
    disk.set(HealthReport::down("full"));
    assert!(!running.operations.readiness().await.ready, "a check of the application counts like a module's");
    running.signal();
    running.end().await.unwrap();
}

#[derive(Debug, Clone)]
struct Hangs;

#[async_trait]
impl HealthCheck for Hangs {
    fn name(&self) -> &'static str {
        "hangs"
    }

    async fn check(&self) -> HealthReport {
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_check_that_does_not_answer_is_given_up_after_its_deadline() {
    let journal = Journal::default();
    let app = builder().module(Checked(Hangs)).runner(Runner::obedient(Role::Web, "web", &journal)).build();
    let running = Running::ready(app, web()).await;
    let start = tokio::time::Instant::now();
    assert_eq!(running.check("hangs").await, (HealthState::Down, "no answer within 2000 ms".to_owned()));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    running.signal();
    running.end().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_database_that_does_not_answer_makes_the_process_not_ready_but_alive() {
    let journal = Journal::default();
    let database = MemoryDatabase::new();
    let app = App::builder(support::ports(&database))
        .settings(settings())
        .module(TestModule::new("alpha"))
        .runner(Runner::obedient(Role::Web, "web", &journal))
        .build();
    let running = Running::ready(app, web()).await;
    database.database().close().await;
    assert_eq!(running.check("database").await.0, HealthState::Down);
    assert!(!running.operations.readiness().await.ready);
    assert!(running.operations.liveness().alive, "a restart would mend nothing");
    running.signal();
    running.end().await.unwrap();
}
