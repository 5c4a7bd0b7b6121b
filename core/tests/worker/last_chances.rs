//! A job that crashed twice runs alone, so that it pays for its own crashes only.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dolmen::ports::{ClaimRequest, KnownKind, WorkerId};
use dolmen::{JobContext, JobId, JobQueue as _, Uuid};

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
