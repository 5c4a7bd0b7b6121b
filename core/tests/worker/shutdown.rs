//! The end of a worker: what runs may finish, the rest is given back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dolmen::{JobContext, JobError, JobState};
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout};

use crate::support::{Fixture, Work, quick, until};

#[tokio::test]
async fn a_job_that_outlives_the_grace_period_is_given_back_within_a_second_and_loses_no_attempt() {
    let fixture = Fixture::new();
    let (begun, mut begins) = mpsc::unbounded_channel();
    // One handler stops when it is told to, one does not care.
    let handler = move |_: Work, context: JobContext| {
        let begun = begun.clone();
        async move {
            begun.send(()).unwrap();
            if context.id().to_string().ends_with('1') {
                context.cancelled().await;
                return Err(JobError::retry("told to stop"));
            }
            std::future::pending().await
        }
    };
    let jobs = [fixture.enqueue(&Work).await, fixture.enqueue(&Work).await];
    let worker = fixture.start(handler, quick());
    for _ in jobs {
        begins.recv().await.unwrap();
    }
    let asked = Instant::now();
    worker.end().await;
    assert!(asked.elapsed() < Duration::from_millis(1_500), "{:?} with 50 ms of grace", asked.elapsed());
    for job in jobs {
        let record = fixture.record(job).await;
        assert_eq!((record.state, record.attempt, record.crashes), (JobState::Ready, 0, 0));
        assert_eq!(record.due_at, dolmen::Clock::now(&fixture.clock), "another worker may start at once");
    }
    assert_eq!(fixture.finished("tests.work", "released"), 2);
}

#[tokio::test]
async fn what_runs_may_finish_and_nothing_new_begins_once_the_drain_has_begun() {
    let fixture = Fixture::new();
    let (begun, mut begins) = mpsc::unbounded_channel();
    let go = Arc::new(Notify::new());
    let starts = Arc::new(AtomicUsize::new(0));
    let handler = {
        let (go, starts) = (Arc::clone(&go), Arc::clone(&starts));
        move |_: Work, _: JobContext| {
            let (begun, go) = (begun.clone(), Arc::clone(&go));
            starts.fetch_add(1, Ordering::SeqCst);
            async move {
                begun.send(()).unwrap();
                go.notified().await;
                Ok(())
            }
        }
    };
    let first = fixture.enqueue(&Work).await;
    let second = fixture.enqueue(&Work).await;
    let worker = fixture.start(handler, quick().with_concurrency(1));
    begins.recv().await.unwrap();
    let mut task = worker.drain().await;
    go.notify_one();
    timeout(Duration::from_secs(5), task.join_next()).await.unwrap().unwrap().unwrap().unwrap();
    assert_eq!(fixture.state(first).await, JobState::Done);
    assert_eq!((fixture.state(second).await, starts.load(Ordering::SeqCst)), (JobState::Ready, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_its_thread_does_not_keep_the_worker_from_ending() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let (free, freed) = std::sync::mpsc::channel::<()>();
    let freed = Arc::new(std::sync::Mutex::new(freed));
    let handler = move |_: Work, _: JobContext| {
        let freed = Arc::clone(&freed);
        async move {
            // Until the test lets go: no await, so nothing can interrupt it.
            let _: Result<(), _> = freed.lock().unwrap().recv();
            Ok(())
        }
    };
    let worker = fixture.start(handler, quick());
    fixture.until_state(job, JobState::Running).await;
    worker.end().await;
    let record = fixture.record(job).await;
    assert_eq!((record.state, record.attempt), (JobState::Ready, 0));
    drop(free);
}

#[tokio::test]
async fn completions_that_wait_for_the_database_are_delivered_before_the_end() {
    let fixture = Fixture::new();
    fixture.queue.knobs.gate.send_replace(false);
    let job = fixture.enqueue(&Work).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let handler = {
        let runs = Arc::clone(&runs);
        move |_: Work, _: JobContext| {
            runs.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        }
    };
    let worker = fixture.start(handler, quick());
    until("the handler to run", async || runs.load(Ordering::SeqCst) == 1).await;
    let mut task = worker.drain().await;
    fixture.queue.knobs.gate.send_replace(true);
    timeout(Duration::from_secs(5), task.join_next()).await.unwrap().unwrap().unwrap().unwrap();
    assert_eq!((fixture.state(job).await, runs.load(Ordering::SeqCst)), (JobState::Done, 1));
}

#[tokio::test]
async fn jobs_that_are_being_completed_in_two_calls_when_the_drain_begins_are_done_at_its_end() {
    let fixture = Fixture::new();
    fixture.queue.knobs.gate.send_replace(false);
    let mut jobs = Vec::new();
    for _ in 0..40 {
        jobs.push(fixture.enqueue(&Work).await);
    }
    let ran = Arc::new(AtomicUsize::new(0));
    let handler = {
        let ran = Arc::clone(&ran);
        move |_: Work, _: JobContext| {
            ran.fetch_add(1, Ordering::SeqCst);
            async { Ok(()) }
        }
    };
    let worker = fixture.start(handler, quick().with_concurrency(4));
    let knobs = &fixture.queue.knobs;
    until("a second call", async || knobs.completing.load(Ordering::SeqCst) == 2).await;
    let mut draining = worker.drain().await;
    knobs.gate.send_replace(true);
    timeout(Duration::from_secs(10), draining.join_next()).await.unwrap().unwrap().unwrap().unwrap();
    let mut done = 0;
    for job in jobs {
        let state = fixture.state(job).await;
        assert_ne!(state, JobState::Running);
        done += usize::from(state == JobState::Done);
    }
    assert_eq!(done, ran.load(Ordering::SeqCst), "what a handler has done is not done again");
}
