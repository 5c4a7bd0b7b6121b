//! Many jobs: how many at once, how soon, and in how many calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dolmen::{JobContext, JobState, QueueName};
use tokio::sync::{Notify, Semaphore};

use crate::support::{Fixture, Work, quick, until};

#[tokio::test]
async fn no_more_jobs_run_at_once_than_the_settings_allow() {
    let fixture = Fixture::new();
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let go = Arc::new(Semaphore::new(0));
    let handler = {
        let (running, most, go) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&go));
        move |_: Work, _: JobContext| {
            let (running, most, go) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&go));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                drop(go.acquire().await);
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }
    };
    for _ in 0..9 {
        fixture.enqueue(&Work).await;
    }
    let worker = fixture.start(handler, quick().with_concurrency(3));
    until("three to run", async || running.load(Ordering::SeqCst) == 3).await;
    go.add_permits(1);
    until("all to be done", async || fixture.finished("tests.work", "done") == 9).await;
    worker.end().await;
    assert_eq!(most.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_job_that_is_enqueued_in_this_process_starts_without_waiting_for_the_next_look() {
    let fixture = Fixture::new();
    let minute = Duration::from_mins(1);
    let worker = fixture.start(async |_: Work, _| Ok(()), quick().with_poll(minute, minute));
    until("the first look", async || fixture.claims() >= 1).await;
    for _ in 0..3 {
        let job = fixture.enqueue(&Work).await;
        fixture.until_state(job, JobState::Done).await;
    }
    worker.end().await;
}

#[tokio::test]
async fn completions_that_pile_up_while_one_call_is_under_way_go_in_the_next_one() {
    let fixture = Fixture::new();
    fixture.queue.knobs.gate.send_replace(false);
    let begun = Arc::new(AtomicUsize::new(0));
    let all_begun = Arc::new(Notify::new());
    let handler = {
        let (begun, all_begun) = (Arc::clone(&begun), Arc::clone(&all_begun));
        move |_: Work, _: JobContext| {
            if begun.fetch_add(1, Ordering::SeqCst) + 1 == 10 {
                all_begun.notify_one();
            }
            async { Ok(()) }
        }
    };
    for _ in 0..10 {
        fixture.enqueue(&Work).await;
    }
    let worker = fixture.start(handler, quick());
    all_begun.notified().await;
    fixture.queue.knobs.gate.send_replace(true);
    until("all to be done", async || fixture.finished("tests.work", "done") == 10).await;
    worker.end().await;
    let batches = fixture.queue.knobs.batches.lock().unwrap().clone();
    assert!(batches.len() <= 2 && batches.iter().sum::<usize>() == 10, "{batches:?}");
}

#[tokio::test]
async fn completions_that_have_no_room_to_wait_go_in_a_second_call_and_never_in_a_third() {
    let fixture = Fixture::new();
    fixture.queue.knobs.gate.send_replace(false);
    for _ in 0..40 {
        fixture.enqueue(&Work).await;
    }
    let worker = fixture.start(async |_: Work, _| Ok(()), quick().with_concurrency(4));
    let knobs = &fixture.queue.knobs;
    until("a second call", async || knobs.completing.load(Ordering::SeqCst) == 2).await;
    knobs.gate.send_replace(true);
    until("all to be done", async || fixture.finished("tests.work", "done") == 40).await;
    worker.end().await;
    assert_eq!(knobs.most_completing.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn jobs_of_a_full_claim_begin_when_the_next_one_is_under_way() {
    let fixture = Fixture::new();
    fixture.enqueue_many(&vec![Work; 2_001]).await;
    let knobs = &fixture.queue.knobs;
    fixture.watch_claims();
    let worker = fixture.start(async |_: Work, _| Ok(()), quick().with_concurrency(5_000));
    until("all to be done", async || fixture.finished("tests.work", "done") == 2_001).await;
    worker.end().await;
    assert_eq!(knobs.in_flight_at_claims.lock().unwrap().get(..2), Some(&[0.0, 0.0][..]));
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
async fn a_queue_with_a_limit_keeps_it_where_one_claim_is_not_enough() {
    let fixture = Fixture::new();
    fixture.enqueue_many(&vec![Work; 4_100]).await;
    let (running, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let go = Arc::new(Semaphore::new(0));
    let handler = {
        let (running, most, go) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&go));
        move |_: Work, _: JobContext| {
            let (running, most, go) = (Arc::clone(&running), Arc::clone(&most), Arc::clone(&go));
            async move {
                most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                drop(go.acquire().await);
                running.fetch_sub(1, Ordering::SeqCst);
                Ok(())
            }
        }
    };
    let settings = quick().with_concurrency(5_000).with_queue_limit(QueueName::DEFAULT, 2_100);
    let worker = fixture.start(handler, settings);
    until("all that may run to run", async || running.load(Ordering::SeqCst) >= 2_100).await;
    go.close();
    until("all to be done", async || fixture.finished("tests.work", "done") == 4_100).await;
    worker.end().await;
    assert_eq!(most.load(Ordering::SeqCst), 2_100);
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
