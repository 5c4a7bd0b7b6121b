//! A test's clock and a database's: jobs grow older when the test lets time pass.

#![cfg(test)]
#![cfg(feature = "sqlite")]

use std::sync::Arc;
use std::time::Duration;

use dolmen::{App, AppPorts, Cron, InlineModule, Job, JobContext, JobError, JobOptions, JobOutcome, Unique};
use dolmen_ports::{Enqueued, Scope};
use dolmen_sql::test_database::{TestDatabase, age_jobs};
use dolmen_sql::{SqlDatabase, SqlOptions};
use dolmen_testkit::{FakePorts, TestApp, assert_enqueued};
use serde::{Deserialize, Serialize};

/// Fails the first time.
#[derive(Debug, Serialize, Deserialize)]
struct Stumble {}

impl Job for Stumble {
    const KIND: &'static str = "aged.stumble";
}

const HOUR: Duration = Duration::from_hours(1);

async fn app() -> TestApp {
    let place = TestDatabase::sqlite();
    let sql = SqlDatabase::connect(place.url(), SqlOptions::new()).await.unwrap();
    let fakes = FakePorts::new();
    let ports = AppPorts::from(sql.stores()).with_clock(Arc::new(fakes.clock().clone()));
    let module = InlineModule::new("aged", |registrar| {
        registrar.job(async |_: Stumble, context: JobContext| match context.attempt() {
            1 => Err(JobError::retry("a stone")),
            _ => Ok(()),
        });
        registrar.schedule("hourly", Cron::new("30 * * * *"), |_| Stumble {});
    });
    let app = App::builder(ports).module(module).build();
    app.ports().database().migrate(&[dolmen_sql::MIGRATIONS]).await.unwrap();
    TestApp::around(fakes, &app).with_ageing(move |by| {
        let sql = sql.clone();
        async move { age_jobs(&sql, by).await }
    })
}

async fn enqueue(app: &TestApp, options: JobOptions) -> Enqueued {
    app.enqueue_with(Scope::System, &Stumble {}, options).await.unwrap()
}

async fn outcomes(app: &TestApp) -> Vec<JobOutcome> {
    app.drain().await.unwrap().iter().map(|run| run.outcome).collect()
}

#[tokio::test]
async fn delays_and_retries_end_when_the_clock_is_advanced() {
    let app = app().await;
    enqueue(&app, JobOptions::new().delay(HOUR * 2)).await;
    assert_enqueued!(app, Stumble, due_in: HOUR * 2, scope: Scope::System);
    app.advance(Duration::from_mins(59) + Duration::from_secs(50)).await.unwrap();
    // The schedule has had a tick meanwhile.
    assert_eq!(outcomes(&app).await, [JobOutcome::Retried]);
    app.advance(Duration::from_mins(1)).await.unwrap();
    assert_eq!(outcomes(&app).await, [JobOutcome::Done], "the delay is not over");
    let runs = app.run_for(HOUR * 2).await.unwrap();
    assert_eq!(runs.len(), 2 * 3, "two more ticks and the delayed job, each twice");
    app.finish().await.unwrap();
}

#[tokio::test]
async fn the_period_of_a_unique_key_is_over() {
    let app = app().await;
    let once_a_day = || JobOptions::new().unique(Unique::new("one").even_done().per(HOUR * 24));
    assert!(matches!(enqueue(&app, once_a_day()).await, Enqueued::New(_)));
    assert!(matches!(enqueue(&app, once_a_day()).await, Enqueued::Duplicate(_)));
    app.advance(Duration::from_mins(1)).await.unwrap();
    assert!(matches!(enqueue(&app, once_a_day()).await, Enqueued::New(_)));
    app.ignore_leftovers();
    app.finish().await.unwrap();
}
