//! A job that crashed twice runs alone; queues have limits of their own; jobs are called off.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dolmen::ports::{ClaimRequest, KnownKind, WorkerId};
use dolmen::{Enqueued, JobContext, JobId, JobOptions, JobQueue as _, JobState, QueueName, Uuid, WriteTx};
use tokio::sync::Notify;

use crate::support::{Fixture, Work, quick, until};

/// Lets a ghost claim everything twice and die of it.
async fn crash_twice(fixture: &Fixture) {
    let (ghost, minute) = (WorkerId::new(Uuid::from_u128(99)), Duration::from_mins(1));
    let request = ClaimRequest::new(ghost, vec![KnownKind::new("tests.work", 1)], 10, minute);
    for _ in 0..2 {
        fixture.queue.inner.claim(&request).await.unwrap();
        fixture.let_leases_run_out().await;
    }
}

#[tokio::test]
async fn jobs_that_crashed_twice_run_one_by_one_with_nothing_else_beside_them() {
    let fixture = Fixture::new();
    let mut suspects: Vec<JobId> = Vec::new();
    for _ in 0..3 {
        suspects.push(fixture.enqueue(&Work).await);
    }
    crash_twice(&fixture).await;
    for _ in 0..20 {
        fixture.enqueue(&Work).await;
    }
    let (running, beside) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let handler = {
        let (running, beside, suspects) = (Arc::clone(&running), Arc::clone(&beside), suspects.clone());
        move |_: Work, context: JobContext| {
            let (running, beside) = (Arc::clone(&running), Arc::clone(&beside));
            let is_suspect = suspects.contains(&context.id());
            async move {
                let others = running.fetch_add(1, Ordering::SeqCst);
                for _ in 0..20 {
                    tokio::task::yield_now().await;
                }
                let left = running.fetch_sub(1, Ordering::SeqCst) - 1;
                if is_suspect {
                    beside.fetch_add(others + left, Ordering::SeqCst);
                }
                Ok(())
            }
        }
    };
    let worker = fixture.start(handler, quick());
    until("all to be done", async || fixture.finished("tests.work", "done") == 23).await;
    worker.end().await;
    assert_eq!(beside.load(Ordering::SeqCst), 0, "jobs beside a last chance");
}

#[tokio::test]
async fn a_test_that_drains_the_queue_gives_last_chances_too() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    crash_twice(&fixture).await;
    let runs = fixture.due_jobs(async |_: Work, _| Ok(())).run().await.unwrap();
    assert_eq!(runs.iter().map(|run| run.job).collect::<Vec<_>>(), [job]);
}

#[tokio::test]
async fn a_queue_with_a_limit_leaves_room_for_others() {
    let fixture = Fixture::new();
    for _ in 0..8 {
        fixture.enqueue(&Work).await;
    }
    let (running, most, go) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let handler = {
        let (running, most, go) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&go));
        move |_: Work, _: JobContext| {
            let (running, most, go) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&go));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                go.notified().await;
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }
    };
    let worker = fixture.start(handler, quick().with_queue_limit(QueueName::DEFAULT, 2));
    for done in 0..8 {
        until("a job to run", async || running.load(Ordering::SeqCst) > 0).await;
        go.notify_one();
        until("it to be done", async || fixture.finished("tests.work", "done") > done).await;
    }
    worker.end().await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_queue_with_a_limit_goes_on_as_soon_as_a_job_of_it_ends() {
    let fixture = Fixture::new();
    for _ in 0..50 {
        fixture.enqueue(&Work).await;
    }
    let minute = Duration::from_mins(1);
    let settings = quick().with_poll(minute, minute).with_queue_limit(QueueName::DEFAULT, 2);
    let worker = fixture.start(async |_: Work, _| Ok(()), settings);
    until("all to be done", async || fixture.finished("tests.work", "done") == 50).await;
    worker.end().await;
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
                context.complete(async |tx| crate::support::write_effect(tx, "late").await).await?;
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
