//! A database that does not answer for a while.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dolmen::{JobContext, JobState};
use tokio::sync::{Notify, mpsc};

use crate::support::{Fixture, Work, quick, until};

#[tokio::test]
async fn a_worker_that_starts_without_a_database_waits_for_it() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    fixture.down(true);
    let worker = fixture.start(async |_: Work, _| Ok(()), quick());
    until("two tries", async || fixture.claims() >= 2).await;
    assert_eq!(fixture.state(job).await, JobState::Ready);
    fixture.down(false);
    fixture.until_state(job, JobState::Done).await;
    worker.end().await;
}

#[tokio::test]
async fn work_that_was_done_while_the_database_was_away_is_not_done_again() {
    for fails in [false, true] {
        let fixture = Fixture::new();
        let job = fixture.enqueue(&Work).await;
        let runs = Arc::new(AtomicUsize::new(0));
        let (begun, mut begins) = mpsc::unbounded_channel();
        let go = Arc::new(Notify::new());
        let handler = {
            let (runs, go) = (Arc::clone(&runs), Arc::clone(&go));
            move |_: Work, _: JobContext| {
                let (begun, go) = (begun.clone(), Arc::clone(&go));
                runs.fetch_add(1, Ordering::SeqCst);
                async move {
                    begun.send(()).unwrap();
                    go.notified().await;
                    if fails { Err(dolmen::JobError::bury("no use")) } else { Ok(()) }
                }
            }
        };
        let worker = fixture.start(handler, quick());
        begins.recv().await.unwrap();
        fixture.down(true);
        go.notify_one();
        let before = fixture.claims();
        until("the worker to feel the outage", async || fixture.claims() >= before + 2).await;
        fixture.down(false);
        fixture.until_state(job, if fails { JobState::Dead } else { JobState::Done }).await;
        assert_eq!(runs.load(Ordering::SeqCst), 1);
        worker.end().await;
    }
}
