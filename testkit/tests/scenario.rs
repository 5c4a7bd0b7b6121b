//! Scenarios: something happens, everything that is due is worked off, and the test looks at what came of it.

#![cfg(test)]

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use dolmen::{
    Cron, Event, InlineModule, Job, JobContext, JobError, JobOptions, JobOutcome, JobRun, Jobs, Module,
};
use dolmen_ports::{Email, ErrorKind, MailAddress, Mailer, Scope, Unique, WriteTx};
use dolmen_testkit::{Aftermath, TestApp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct OrderPlaced {
    order: u32,
}

impl Event for OrderPlaced {
    const NAME: &'static str = "shop.order_placed.v1";
}

#[derive(Debug, Serialize, Deserialize)]
struct Remind {
    order: u32,
}

impl Job for Remind {
    const KIND: &'static str = "shop.remind";
}

#[derive(Debug, Serialize, Deserialize)]
struct Count {}

impl Job for Count {
    const KIND: &'static str = "shop.count";
}

async fn send(mailer: &dyn Mailer, subject: String) -> Result<(), JobError> {
    let address = MailAddress::parse("ada@example.com").map_err(JobError::bury)?;
    mailer.send(&Email::new(address.clone(), address, subject.clone(), "Hello.\n", subject)).await?;
    Ok(())
}

/// Thanks for an order, reminds of it a day later, counts orders every night.
fn shop(mailer: Arc<dyn Mailer>, jobs: Jobs) -> impl Module {
    InlineModule::new("shop", move |registrar| {
        registrar.event::<OrderPlaced>();
        registrar.job(async |_: Count, _: JobContext| Ok::<(), JobError>(()));
        registrar.schedule("nightly", Cron::new("0 2 * * *"), |_| Count {});
        let of_remind = Arc::clone(&mailer);
        registrar.job(move |job: Remind, _: JobContext| {
            let mailer = Arc::clone(&of_remind);
            async move { send(&*mailer, format!("Do not forget {}", job.order)).await }
        });
        let (mailer, jobs) = (Arc::clone(&mailer), jobs.clone());
        registrar.subscribe("thank", move |event: OrderPlaced, context: JobContext| {
            let (mailer, jobs) = (Arc::clone(&mailer), jobs.clone());
            async move {
                send(&*mailer, format!("Order {}", event.order)).await?;
                let (order, day) = (event.order, Duration::from_hours(24));
                let unique = Unique::new("reminder").even_done().per(day * 2);
                let options = JobOptions::new().delay(day).unique(unique);
                let remind = async |tx: &mut WriteTx| {
                    jobs.enqueue_with(tx, &Remind { order }, options.clone()).await.map(drop)
                };
                context.complete(remind).await?;
                Ok::<(), JobError>(())
            }
        });
    })
}

fn app() -> TestApp {
    let module =
        |fakes: &dolmen_testkit::FakePorts| shop(Arc::new(fakes.mailer().clone()), fakes.app().jobs());
    let app = TestApp::builder().module(module).start().unwrap();
    app.ignore_leftovers();
    app
}

async fn order(app: &TestApp, order: u32) -> Aftermath {
    app.scenario().publish(Scope::System, &OrderPlaced { order }).await.unwrap()
}

fn outcomes(runs: &[JobRun]) -> Vec<(&str, JobOutcome)> {
    runs.iter().map(|run| (run.kind.as_str(), run.outcome)).collect()
}

#[tokio::test]
async fn an_event_is_worked_off_and_what_came_of_it_is_there() {
    let app = app();
    let aftermath = order(&app, 7)
        .await
        .expect_event::<OrderPlaced>(|event| event.order == 7)
        .expect_mail("ada@example.com", |mail| mail.subject == "Order 7")
        .expect_job::<Remind>(|job| job.order == 7)
        .expect_no_job::<Count>();
    assert_eq!(outcomes(aftermath.runs()), [("shop.thank", JobOutcome::Done)]);
    assert_eq!((aftermath.mails().len(), aftermath.jobs::<Remind>().len()), (1, 1));
}

#[tokio::test]
async fn only_what_is_new_is_seen() {
    let app = app();
    let _ = order(&app, 7).await;
    let aftermath = app.scenario().enqueue(Scope::System, &Count {}).await.unwrap();
    let aftermath = aftermath.expect_no_event::<OrderPlaced>().expect_no_job::<Remind>().expect_all_done();
    assert_eq!((aftermath.mails().len(), aftermath.jobs::<Count>().len()), (0, 1));
}

#[tokio::test]
async fn a_scenario_that_lasts_brings_delayed_jobs_retries_and_ticks() {
    let app = app();
    app.fakes().mailer().fail_next(1, ErrorKind::Unavailable);
    let day = app.scenario().lasting(Duration::from_hours(25));
    let aftermath = day.publish(Scope::System, &OrderPlaced { order: 7 }).await.unwrap();
    let aftermath =
        aftermath.expect_mail("ada@example.com", |mail| mail.subject == "Do not forget 7").expect_all_done();
    let expected = [
        ("shop.thank", JobOutcome::Retried),
        ("shop.thank", JobOutcome::Done),
        ("shop.count", JobOutcome::Done),
        ("shop.remind", JobOutcome::Done),
    ];
    assert_eq!(outcomes(aftermath.runs()), expected);
}

#[tokio::test]
async fn periods_of_unique_keys_pass_with_the_clock() {
    let app = app();
    let _ = order(&app, 1).await.expect_job::<Remind>(|job| job.order == 1);
    app.run_for(Duration::from_hours(24)).await.unwrap();
    let _ = order(&app, 2).await.expect_no_job::<Remind>();
    app.run_for(Duration::from_hours(48)).await.unwrap();
    let _ = order(&app, 3).await.expect_job::<Remind>(|job| job.order == 3);
}

#[tokio::test]
async fn what_is_called_is_returned_with_what_came_of_it() {
    let app = app();
    let (id, aftermath) = app.scenario().call(app.enqueue(Scope::System, &Count {})).await.unwrap();
    assert_eq!(aftermath.runs()[0].job, id.unwrap());
}

#[tokio::test]
async fn it_works_with_jobs_that_run_inline() {
    let module =
        |fakes: &dolmen_testkit::FakePorts| shop(Arc::new(fakes.mailer().clone()), fakes.app().jobs());
    let app = TestApp::builder().module(module).inline().start().unwrap();
    app.ignore_leftovers();
    let aftermath = order(&app, 7).await.expect_job::<Remind>(|job| job.order == 7);
    assert_eq!(outcomes(aftermath.runs()), [("shop.thank", JobOutcome::Done)]);
}

/// How an expectation fails.
fn failure(expectation: impl FnOnce() -> Aftermath) -> String {
    let panic = std::panic::catch_unwind(AssertUnwindSafe(expectation)).expect_err("it should fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_failure_tells_the_whole_story() {
    let app = app();
    let happened = order(&app, 7).await;
    let expect = |check: fn(Aftermath) -> Aftermath| failure(|| check(happened.clone()));
    let told = expect(|it| it.expect_event::<OrderPlaced>(|event| event.order == 8));
    for words in [
        "no shop.order_placed.v1 that matches",
        "attempts: shop.thank done (1)",
        "ready shop.remind {\"order\":7}",
        "due at 2026-01-02T00:00:00.000000Z",
        "mails: ada@example.com \"Order 7\"",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    for (told, words) in [
        (expect(|it| it.expect_job::<Remind>(|job| job.order == 8)), "no shop.remind that matches"),
        (expect(|it| it.expect_job::<Count>(|_| true)), "no shop.count that matches"),
        (expect(|it| it.expect_no_job::<Remind>()), "there is a shop.remind"),
        (expect(|it| it.expect_no_event::<OrderPlaced>()), "there is a shop.order_placed.v1"),
        (expect(|it| it.expect_mail("bob@example.com", |_| true)), "no mail to bob@example.com that matches"),
        (
            expect(|it| it.expect_mail("ada@example.com", |mail| mail.subject == "x")),
            "no mail to ada@example.com",
        ),
        (expect(Aftermath::expect_all_done), "not every job is done"),
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
}
