//! A small shop, run by `TestApp`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use dolmen::{
    Cron, Event, EventPublisher, Job, JobContext, JobError, JobOutcome, Jobs, Module, Registrar, Violation,
};
use dolmen_ports::{
    Clock, Email, ErrorKind, MailAddress, Mailer, MigrationSet, ModuleName, PortResult, Scope, TenantId,
    Timestamp, Uuid, WriteTx,
};
use dolmen_testkit::{FakePorts, TestApp, assert_enqueued, assert_mailed, assert_published};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct OrderPlaced {
    order: u32,
}

impl Event for OrderPlaced {
    const NAME: &'static str = "shop.order_placed.v1";
}

#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct CountOrders {
    day: Timestamp,
}

impl Job for CountOrders {
    const KIND: &'static str = "shop.count_orders";
}

/// Places orders, each with an event; counts them each night.
struct Shop;

impl Module for Shop {
    fn name(&self) -> ModuleName {
        ModuleName::new("shop")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.event::<OrderPlaced>();
        registrar.job::<CountOrders>(async |_: CountOrders, _: JobContext| Ok::<(), JobError>(()));
        registrar.schedule("nightly", Cron::new("0 2 * * *"), |day| CountOrders { day });
    }
}

/// Thanks for orders by mail.
struct Thanks {
    mailer: Arc<dyn Mailer>,
}

impl Thanks {
    fn new(fakes: &FakePorts) -> Self {
        Self { mailer: Arc::new(fakes.mailer().clone()) }
    }
}

fn thanks_for(order: u32) -> Option<Email> {
    let (from, to) = (MailAddress::parse("shop@example.com"), MailAddress::parse("ada@example.com"));
    let (from, to) = (from.ok()?, to.ok()?);
    Some(Email::new(from, to, format!("Order {order}"), "Thank you.\n", format!("thanks-{order}")))
}

impl Module for Thanks {
    fn name(&self) -> ModuleName {
        ModuleName::new("thanks")
    }

    fn requires(&self) -> &'static [ModuleName] {
        const { &[ModuleName::new("shop")] }
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        let mailer = Arc::clone(&self.mailer);
        registrar.subscribe::<OrderPlaced>("send_thanks", move |event: OrderPlaced, _: JobContext| {
            let mailer = Arc::clone(&mailer);
            async move {
                let Some(email) = thanks_for(event.order) else { return Ok(()) };
                Ok::<(), JobError>(mailer.send(&email).await?)
            }
        });
    }
}

fn tenant() -> Scope {
    Scope::Tenant(TenantId::new(Uuid::from_u128(1)))
}

fn shop_with_thanks() -> TestApp {
    TestApp::builder().module(|_| Shop).module(Thanks::new).start().unwrap()
}

#[tokio::test]
async fn an_event_becomes_a_job_and_a_mail() {
    let app = shop_with_thanks();
    app.publish(tenant(), &OrderPlaced { order: 7 }).await.unwrap();
    assert_published!(app, OrderPlaced, |event| event.order == 7);
    assert_eq!(app.mails(), []);
    let runs = app.drain().await.unwrap();
    assert_eq!(runs.iter().map(|run| run.outcome).collect::<Vec<_>>(), [JobOutcome::Done]);
    assert_mailed!(app, "ada@example.com", |mail| mail.subject == "Order 7");
    assert_mailed!(app, "ada@example.com");
    app.finish().await.unwrap();
}

#[tokio::test]
async fn waiting_runs_what_is_due() {
    let app = shop_with_thanks();
    app.publish(tenant(), &OrderPlaced { order: 7 }).await.unwrap();
    let mail = app.wait_for_mail("ada@example.com").await.unwrap();
    assert_eq!(mail.subject, "Order 7");
    assert_eq!(app.wait_for_event::<OrderPlaced>().await.unwrap(), OrderPlaced { order: 7 });
}

#[tokio::test]
async fn a_job_that_another_task_enqueues_later_is_waited_for() {
    let app = Arc::new(shop_with_thanks());
    let (waiting, job) = (Arc::clone(&app), CountOrders { day: Timestamp::UNIX_EPOCH });
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async move { waiting.wait_for_job::<CountOrders>().await });
    tokio::task::yield_now().await;
    app.enqueue(Scope::System, &job).await.unwrap();
    assert_eq!(tasks.join_next().await.unwrap().unwrap().unwrap(), job);
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_nothing_ends_with_a_list_of_what_is_there() {
    let app = shop_with_thanks();
    app.enqueue(Scope::System, &CountOrders { day: Timestamp::UNIX_EPOCH }).await.unwrap();
    let error = app.wait_for_event::<OrderPlaced>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().contains("done shop.count_orders"), "{error}");
}

#[tokio::test]
async fn a_watched_event_is_seen_without_a_subscriber() {
    let app = TestApp::builder().module(|_| Shop).watch::<OrderPlaced>().start().unwrap();
    app.publish(tenant(), &OrderPlaced { order: 7 }).await.unwrap();
    assert_published!(app, OrderPlaced, |event| event.order == 7);
    let app = TestApp::builder().module(|_| Shop).start().unwrap();
    app.publish(tenant(), &OrderPlaced { order: 7 }).await.unwrap();
    assert_eq!(app.events::<OrderPlaced>().await.unwrap(), []);
}

#[tokio::test]
async fn an_event_with_two_subscribers_is_seen_once() {
    let app = TestApp::builder().module(|_| Shop).module(Thanks::new).watch::<OrderPlaced>().start().unwrap();
    for order in [1, 2] {
        app.publish(tenant(), &OrderPlaced { order }).await.unwrap();
    }
    let expected = [OrderPlaced { order: 1 }, OrderPlaced { order: 2 }];
    assert_eq!(app.events::<OrderPlaced>().await.unwrap(), expected);
    app.drain().await.unwrap();
    assert_eq!(app.events::<OrderPlaced>().await.unwrap(), expected);
}

#[tokio::test]
async fn the_clock_brings_the_ticks_of_schedules_one_by_one() {
    let app = shop_with_thanks();
    let ticks = app.advance(Duration::from_hours(3 * 24)).await.unwrap();
    let days: Vec<String> = ticks.iter().map(|tick| tick.tick.to_string()[..13].to_owned()).collect();
    assert_eq!(days, ["2026-01-01T02", "2026-01-02T02", "2026-01-03T02"]);
    assert_enqueued!(app, CountOrders, |job| job.day == ticks[2].tick);
    assert_eq!(app.jobs::<CountOrders>().await.unwrap().len(), 3);
    assert_eq!(app.fakes().clock().now().to_string(), "2026-01-04T00:00:00.000000Z");
    assert_eq!(app.drain().await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_failed_job_runs_again_when_the_clock_is_there() {
    let app = shop_with_thanks();
    app.fakes().mailer().fail_next(1, ErrorKind::Unavailable);
    app.publish(tenant(), &OrderPlaced { order: 7 }).await.unwrap();
    assert_eq!(app.drain().await.unwrap()[0].outcome, JobOutcome::Retried);
    assert_eq!(app.drain().await.unwrap(), []);
    app.advance(Duration::from_mins(1)).await.unwrap();
    assert_eq!(app.drain().await.unwrap()[0].outcome, JobOutcome::Done);
    assert_mailed!(app, "ada@example.com");
}

#[tokio::test]
async fn a_dead_job_is_reported_by_whoever_waits_for_it() {
    let app = TestApp::builder().module(|_| Broken).start().unwrap();
    app.enqueue(Scope::System, &Break {}).await.unwrap();
    let error = app.wait_for_job::<Break>().await.unwrap_err();
    assert!(error.to_string().contains("is dead"), "{error}");
    app.ignore_leftovers();
}

#[derive(Debug, Serialize, Deserialize)]
struct Break {}

impl Job for Break {
    const KIND: &'static str = "broken.break_things";
    const MAX_ATTEMPTS: u32 = 1;
}

struct Broken;

impl Module for Broken {
    fn name(&self) -> ModuleName {
        ModuleName::new("broken")
    }

    fn migrations(&self) -> MigrationSet {
        MigrationSet::none(self.name())
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        let fail = async |_: Break, _: JobContext| {
            Err::<(), JobError>(dolmen_ports::PortError::new(ErrorKind::Internal, "suite", "go on").into())
        };
        registrar.job::<Break>(fail);
    }
}

/// Runs a test that is expected to fail at its end, and returns how.
fn failure_of(test: impl FnOnce() -> TestApp) -> String {
    let app = std::sync::Mutex::new(Some(test()));
    let dropped = std::panic::catch_unwind(|| drop(app.lock().unwrap().take()));
    let panic = dropped.unwrap_err();
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[tokio::test]
async fn jobs_that_are_left_behind_fail_the_test() {
    let app = shop_with_thanks();
    app.enqueue(Scope::System, &CountOrders { day: Timestamp::UNIX_EPOCH }).await.unwrap();
    let failure = failure_of(|| app);
    assert!(
        failure.contains("jobs are left behind") && failure.contains("ready shop.count_orders"),
        "{failure}"
    );
    let app = shop_with_thanks();
    app.enqueue(Scope::System, &CountOrders { day: Timestamp::UNIX_EPOCH }).await.unwrap();
    assert_eq!(app.finish().await.unwrap_err().kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn jobs_may_be_left_behind_on_purpose() {
    let app = shop_with_thanks();
    app.enqueue(Scope::System, &CountOrders { day: Timestamp::UNIX_EPOCH }).await.unwrap();
    app.ignore_leftovers();
    app.finish().await.unwrap();
}

#[test]
fn modules_that_do_not_fit_are_refused() {
    let violations = TestApp::builder().module(Thanks::new).start().unwrap_err();
    let unknown = |violation: &Violation| matches!(violation, Violation::UnknownRequirement { .. });
    assert!(violations.violations().iter().any(unknown), "{violations}");
}

#[tokio::test]
async fn handles_of_the_fakes_join_one_transaction() {
    let app = shop_with_thanks();
    let (events, jobs): (EventPublisher, Jobs) = (app.fakes().app().events(), app.fakes().app().jobs());
    let refused: PortResult<()> = app
        .database()
        .scope(tenant())
        .write(async |tx: &mut WriteTx| {
            events.publish(tx, &OrderPlaced { order: 7 }).await?;
            jobs.enqueue(tx, &CountOrders { day: Timestamp::UNIX_EPOCH }).await?;
            Err(dolmen_ports::PortError::new(ErrorKind::Conflict, "shop", "place the order"))
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(app.drain().await.unwrap(), []);
    let called = AtomicBool::new(false);
    let found = app
        .wait_until("the call", || std::future::ready(Ok(called.swap(true, Ordering::SeqCst).then_some(()))));
    found.await.unwrap();
}
