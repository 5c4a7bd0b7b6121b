//! Who may finish a job: leases, heartbeats, zombies, dead processes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dolmen::{JobContext, JobError, JobOutcome, JobState, WriteTx};
use tokio::sync::{Notify, mpsc};

use crate::support::{Brief, Fixture, Work, quick, until, write_effect};

/// A handler that says when it begins, waits to be let go, then writes its effect.
fn held(
    begun: mpsc::UnboundedSender<JobContext>,
    go: Arc<Notify>,
    effect: &'static str,
) -> impl dolmen::JobHandler<Work> + Clone {
    move |_: Work, context: JobContext| {
        let (begun, go) = (begun.clone(), Arc::clone(&go));
        async move {
            drop(begun.send(context.clone()));
            go.notified().await;
            context.complete(async |tx: &mut WriteTx| write_effect(tx, effect).await).await?;
            Ok(())
        }
    }
}

#[tokio::test]
async fn a_zombie_cannot_finish_what_another_worker_took_over() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let go = Arc::new(Notify::new());
    fixture.queue.knobs.deaf.store(true, Ordering::SeqCst);
    let zombie = fixture.start(held(begun.clone(), Arc::clone(&go), "zombie"), quick());
    let context = begins.recv().await.unwrap();

    assert_eq!(fixture.let_leases_run_out().await, (1, 0));
    let takes_over = async |_: Work, context: JobContext| {
        context.complete(async |tx: &mut WriteTx| write_effect(tx, "heir").await).await?;
        Ok(())
    };
    let heir = fixture.due_jobs(takes_over);
    let runs = heir.run().await.unwrap();
    assert_eq!((runs[0].outcome, runs[0].attempt), (JobOutcome::Done, 2));

    assert!(!context.is_cancelled(), "it has not heard yet");
    go.notify_one();
    until("the lost lease to be counted", async || {
        fixture.counted("dolmen_jobs_lease_lost", "tests.work") == 1
    })
    .await;
    assert_eq!(fixture.effects().await, ["heir"]);
    assert_eq!(fixture.state(job).await, JobState::Done);
    zombie.end().await;
    assert_eq!(fixture.finished("tests.work", "lease_lost"), 1);
}

#[tokio::test]
async fn jobs_of_a_claim_whose_answer_is_read_when_the_lease_may_be_over_are_not_begun_but_given_back() {
    let fixture = Fixture::new();
    let answers = &fixture.queue.knobs.answers;
    answers.send_replace(false);
    let job = fixture.enqueue(&Work).await;
    let lease = quick().lease();
    let worker = fixture.start(async |_: Work, _| Ok(()), quick());
    fixture.until_state(job, JobState::Running).await;
    let claimed = Instant::now();
    until("the lease to be over", async || claimed.elapsed() > lease).await;
    answers.send_replace(true);
    until("the job to be done", async || fixture.finished("tests.work", "done") == 1).await;
    worker.end().await;
    assert_eq!(fixture.finished("tests.work", "released"), 1, "the late answer was not used");
    assert_eq!(fixture.record(job).await.attempt, 1, "and cost no attempt");
}

#[tokio::test]
async fn a_lost_lease_cancels_the_attempt() {
    let fixture = Fixture::new();
    fixture.enqueue(&Work).await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let handler = move |_: Work, context: JobContext| {
        let begun = begun.clone();
        async move {
            begun.send(()).unwrap();
            context.cancelled().await;
            Err::<(), _>(JobError::retry("told to stop"))
        }
    };
    fixture.queue.knobs.deaf.store(true, Ordering::SeqCst);
    // One at a time, so that this worker does not take the job again itself while the first attempt runs.
    let worker = fixture.start(handler, quick().with_concurrency(1));
    begins.recv().await.unwrap();
    fixture.let_leases_run_out().await;
    let heir = fixture.due_jobs(async |_: Work, _| Ok(()));
    assert_eq!(heir.run().await.unwrap().len(), 1);
    fixture.queue.knobs.deaf.store(false, Ordering::SeqCst);
    until("the lost lease to be noticed", async || fixture.finished("tests.work", "lease_lost") == 1).await;
    worker.end().await;
    assert_eq!(fixture.finished("tests.work", "retried"), 0, "a lost attempt says nothing of the job");
}

#[tokio::test]
async fn heartbeats_keep_a_job_that_takes_longer_than_its_lease() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let (begun, mut begins) = mpsc::unbounded_channel();
    let go = Arc::new(Notify::new());
    let worker = fixture.start(held(begun, Arc::clone(&go), "slow"), quick());
    begins.recv().await.unwrap();
    for _ in 0..5 {
        // Two beats: the second one began after the clock had moved.
        fixture.clock.advance(Duration::from_millis(250));
        let beats = fixture.heartbeats();
        until("two heartbeats", async || fixture.heartbeats() >= beats + 2).await;
    }
    assert_eq!((fixture.state(job).await, fixture.record(job).await.crashes), (JobState::Running, 0));
    go.notify_one();
    fixture.until_state(job, JobState::Done).await;
    worker.end().await;
    assert_eq!(fixture.effects().await, ["slow"]);
    assert_eq!(fixture.record(job).await.attempt, 1);
}

#[tokio::test]
async fn a_handler_that_blocks_the_whole_runtime_keeps_its_lease_and_is_told_of() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    // The test's runtime has one thread, so nothing else runs meanwhile: only the heartbeat, on its own.
    #[expect(clippy::disallowed_methods, reason = "blocking the runtime is what this test is about")]
    let handler = async |_: Work, _| {
        std::thread::sleep(Duration::from_millis(1_700));
        Ok(())
    };
    let worker = fixture.start(handler, quick());
    fixture.until_state(job, JobState::Done).await;
    assert!(fixture.heartbeats() >= 5, "{} heartbeats in 1.7 s of a 300 ms lease", fixture.heartbeats());
    assert_eq!(fixture.counted("dolmen_jobs_stalled", "tests.work"), 1);
    worker.end().await;
}

#[tokio::test]
async fn a_handler_that_blocks_long_beyond_its_timeout_loses_its_job() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Brief).await;
    // The clock of the queue stands still, so the lease does not run out by itself.
    #[expect(clippy::disallowed_methods, reason = "blocking the runtime is what this test is about")]
    let handler = async |_: Brief, context: JobContext| {
        if context.attempt() == 1 {
            std::thread::sleep(Duration::from_millis(2_500));
        }
        Ok(())
    };
    let worker = fixture.start(handler, quick());
    fixture.until_state(job, JobState::Done).await;
    let record = fixture.record(job).await;
    assert_eq!((record.attempt, record.crashes), (2, 1));
    assert_eq!(fixture.counted("dolmen_jobs_lease_lost", "tests.brief"), 1);
    worker.end().await;
}

#[tokio::test]
async fn a_job_that_takes_its_process_down_is_dead_after_three_times_and_others_run() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let poison = fixture.due_jobs(async |_: Work, _| std::future::pending().await);
    for (death, expected) in [(1, (1, 0)), (2, (1, 0)), (3, (0, 1))] {
        // A process that dies is a run that is dropped half-way: no word to the queue.
        tokio::select! {
            _ = poison.run() => unreachable!("the handler never returns"),
            () = fixture.until_state(job, JobState::Running) => {}
        }
        assert_eq!(fixture.record(job).await.attempt, death);
        assert_eq!(fixture.let_leases_run_out().await, expected);
    }
    let record = fixture.record(job).await;
    assert_eq!((record.state, record.crashes), (JobState::Dead, 3));
    let other = fixture.enqueue(&Work).await;
    let sound = fixture.due_jobs(async |_: Work, _| Ok(()));
    assert_eq!(sound.run().await.unwrap().len(), 1);
    assert_eq!(fixture.state(other).await, JobState::Done);
}
