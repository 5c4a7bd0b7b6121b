//! `assert_enqueued!` and its opposite: what they find, and what they say when they do not.

#![cfg(test)]

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use dolmen::{InlineModule, Job, JobContext, JobError, JobOptions};
use dolmen_ports::{QueueName, Scope, TenantId, Timestamp, Uuid};
use dolmen_testkit::{TestApp, assert_enqueued, refute_enqueued};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize)]
struct Remind {
    invoice: u32,
}

impl Job for Remind {
    const KIND: &'static str = "mails.remind";
    const QUEUE: QueueName = QueueName::new("mail");
}

#[derive(Debug, Serialize, Deserialize)]
struct Count {}

impl Job for Count {
    const KIND: &'static str = "mails.count";
}

const ADA: TenantId = TenantId::new(Uuid::from_u128(1));
const BOB: TenantId = TenantId::new(Uuid::from_u128(2));
const TWO_DAYS: Duration = Duration::from_hours(48);

/// One reminder for Ada, in two days; a count in the system scope, at once.
async fn app() -> TestApp {
    let module = InlineModule::new("mails", |registrar| {
        registrar.job(async |_: Remind, _: JobContext| Ok::<(), JobError>(()));
        registrar.job(async |_: Count, _: JobContext| Ok::<(), JobError>(()));
    });
    let app = TestApp::builder().module(|_| module).start().unwrap();
    let options = JobOptions::new().delay(TWO_DAYS).unique("invoice-7").ordered_by("line-7").priority(5);
    app.enqueue_with(Scope::Tenant(ADA), &Remind { invoice: 7 }, options).await.unwrap();
    app.enqueue(Scope::System, &Count {}).await.unwrap();
    app.ignore_leftovers();
    app
}

/// How an assertion fails.
async fn failure(assertion: impl Future<Output = ()>) -> String {
    let panic = AssertUnwindSafe(assertion).catch_unwind().await.expect_err("the assertion should fail");
    panic.downcast_ref::<String>().cloned().unwrap_or_default()
}

#[tokio::test]
async fn a_job_is_found_by_payload_and_by_how_it_was_enqueued() {
    let app = app().await;
    assert_enqueued!(app, Remind);
    assert_enqueued!(app, Remind,);
    assert_enqueued!(app, Remind, |job| job.invoice == 7);
    assert_enqueued!(app, Remind, queue: "mail");
    let due = app.records(&dolmen_ports::JobFilter::all().with_kind(Remind::KIND)).await.unwrap()[0].due_at;
    assert_enqueued!(
        app,
        Remind,
        |job| job.invoice == 7,
        queue: "mail",
        tenant: ADA,
        due_in: TWO_DAYS,
        due_at: due,
        unique: "invoice-7",
        ordered_by: "line-7",
        priority: 5,
    );
    assert_enqueued!(app, Count, scope: Scope::System, due_in: Duration::ZERO);
}

#[tokio::test]
async fn each_way_of_enqueueing_can_be_missed() {
    let app = &app().await;
    refute_enqueued!(app, Remind, |job| job.invoice == 8);
    refute_enqueued!(app, Remind, queue: "default");
    refute_enqueued!(app, Remind, tenant: BOB);
    refute_enqueued!(app, Remind, scope: Scope::System);
    refute_enqueued!(app, Remind, due_in: Duration::ZERO);
    refute_enqueued!(app, Remind, due_in: TWO_DAYS + Duration::from_secs(1));
    refute_enqueued!(app, Remind, due_at: Timestamp::UNIX_EPOCH);
    refute_enqueued!(app, Remind, unique: "invoice-8");
    refute_enqueued!(app, Remind, ordered_by: "line-8");
    refute_enqueued!(app, Remind, priority: 0);
    refute_enqueued!(app, Count, tenant: ADA);
    refute_enqueued!(app, Count, unique: "invoice-7");
}

#[tokio::test]
async fn a_job_counts_also_when_it_is_done() {
    let app = app().await;
    app.drain().await.unwrap();
    assert_enqueued!(app, Count);
}

#[tokio::test]
async fn a_failure_says_what_was_enqueued_instead() {
    let app = app().await;
    let told = failure(async {
        assert_enqueued!(app, Remind, |job| job.invoice == 8, queue: "mail", tenant: BOB, due_in: TWO_DAYS);
    });
    let told = told.await;
    for words in [
        format!("no mails.remind that matches, in queue mail, for tenant {BOB}, due in 172800s was enqueued"),
        format!(
            "ready mails.remind {{\"invoice\":7}} for tenant {ADA} in queue mail unique by \"invoice-7\""
        ),
        "due at 2026-01-03T00:00:00.000000Z".to_owned(),
        "ready mails.count {}, due at 2026-01-01T00:00:00.000000Z".to_owned(),
    ] {
        assert!(told.contains(&words), "{words}: {told}");
    }
    let told = failure(async { refute_enqueued!(app, Remind, |job| job.invoice == 7) }).await;
    assert!(told.contains("1 of mails.remind that matches should not have been enqueued"), "{told}");
    assert!(told.contains("ready mails.remind"), "{told}");
    let none = TestApp::builder().start().unwrap();
    let told = failure(async { assert_enqueued!(none, Remind) }).await;
    assert!(told.contains("there are no jobs"), "{told}");
}
