//! What modules ask of jobs: options of an enqueue, and to call one off.

use std::sync::Arc;

use dolmen::{Enqueued, JobContext, JobOptions, JobState, WriteTx};
use tokio::sync::Notify;

use crate::support::{Fixture, Work, quick, until, write_effect};

#[tokio::test]
async fn options_reach_the_queue() {
    let fixture = Fixture::new();
    let jobs = fixture.ports.jobs();
    let options = || JobOptions::new().unique("k").ordered_by("line").priority(-3);
    let enqueue = async || {
        let database = fixture.ports.database().system();
        database.write(async |tx: &mut WriteTx| jobs.enqueue_with(tx, &Work, options()).await).await.unwrap()
    };
    let first = enqueue().await;
    assert_eq!(enqueue().await, Enqueued::Duplicate(first.id()));
    let record = fixture.record(first.id()).await;
    assert_eq!(
        (record.unique_key.as_deref(), record.ordering_key.as_deref(), record.priority),
        (Some("k"), Some("line"), -3)
    );
}

#[tokio::test]
async fn a_running_job_that_is_cancelled_stops_and_changes_nothing() {
    let fixture = Fixture::new();
    let begun = Arc::new(Notify::new());
    let handler = {
        let begun = Arc::clone(&begun);
        move |_: Work, context: JobContext| {
            let begun = Arc::clone(&begun);
            async move {
                begun.notify_one();
                context.cancelled().await;
                context.complete(async |tx| write_effect(tx, "late").await).await?;
                Ok(())
            }
        }
    };
    let job = fixture.enqueue(&Work).await;
    let worker = fixture.start(handler, quick());
    begun.notified().await;
    let jobs = fixture.ports.jobs();
    let cancel = async || {
        fixture.ports.database().system().write(async |tx: &mut WriteTx| jobs.cancel(tx, job).await).await
    };
    assert!(cancel().await.unwrap());
    until("the handler to be told", async || fixture.finished("tests.work", "lease_lost") == 1).await;
    worker.end().await;
    assert!(fixture.effects().await.is_empty());
    assert_eq!(fixture.state(job).await, JobState::Discarded);
    assert!(!cancel().await.unwrap(), "it was cancelled before");
}
