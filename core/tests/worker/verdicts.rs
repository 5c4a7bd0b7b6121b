//! What becomes of a job, by what its handler does.

use std::time::Duration;

use dolmen::{
    Due, ErrorKind, JobContext, JobError, JobOptions, JobOutcome, JobState, PortError, Scope, WriteTx,
};

use crate::support::{Brief, Fixture, Work, write_effect};

type Verdict = Result<(), JobError>;

/// Runs what is due once, and says what became of it.
async fn outcomes<Fut: Future<Output = Verdict> + Send + 'static>(
    fixture: &Fixture,
    handler: impl Fn(Work, JobContext) -> Fut + Clone + Send + Sync + 'static,
) -> Vec<JobOutcome> {
    let app = fixture.due_jobs(handler);
    app.run().await.unwrap().iter().map(|run| run.outcome).collect()
}

#[tokio::test]
async fn a_handler_that_returns_has_done_the_job() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    assert_eq!(outcomes(&fixture, async |_, _| Ok(())).await, [JobOutcome::Done]);
    let record = fixture.record(job).await;
    assert_eq!((record.state, record.attempt), (JobState::Done, 1));
    assert_eq!(fixture.finished("tests.work", "done"), 1);
}

#[tokio::test]
async fn effects_and_completion_are_one_transaction_and_an_error_afterwards_changes_nothing() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let handler = async |_, context: JobContext| {
        context.complete(async |tx: &mut WriteTx| write_effect(tx, "once").await).await?;
        Err(JobError::retry("too late"))
    };
    assert_eq!(outcomes(&fixture, handler).await, [JobOutcome::Done]);
    assert_eq!(fixture.state(job).await, JobState::Done);
    assert_eq!(fixture.effects().await, ["once"]);
}

#[tokio::test]
async fn a_failed_transaction_leaves_neither_effect_nor_completion() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let handler = async |_, context: JobContext| {
        let failing = async |tx: &mut WriteTx| {
            write_effect(tx, "never").await?;
            Err::<(), _>(PortError::new(ErrorKind::Unavailable, "tests", "fail"))
        };
        Ok(context.complete(failing).await?)
    };
    assert_eq!(outcomes(&fixture, handler).await, [JobOutcome::Retried]);
    assert_eq!(fixture.state(job).await, JobState::Ready);
    assert!(fixture.effects().await.is_empty());
}

#[tokio::test]
async fn a_failure_is_tried_again_after_its_back_off_until_attempts_are_spent() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Brief).await;
    let app = fixture.due_jobs(async |_: Brief, _| Err(JobError::retry("no luck")));
    // The longest waits before the second and the third attempt.
    for (attempt, longest) in [(1, 5), (2, 15)] {
        assert_eq!(app.run().await.unwrap()[0].outcome, JobOutcome::Retried);
        let record = fixture.record(job).await;
        assert_eq!((record.attempt, record.last_error.as_deref()), (attempt, Some("no luck")));
        let delay = record.due_at.since(dolmen::Clock::now(&fixture.clock));
        assert!(delay > Duration::ZERO && delay <= Duration::from_secs(longest), "{delay:?}");
        assert!(app.run().await.unwrap().is_empty(), "it is not due yet");
        fixture.clock.advance(delay);
    }
    assert_eq!(app.run().await.unwrap()[0].outcome, JobOutcome::Dead);
    assert_eq!(fixture.state(job).await, JobState::Dead);
    assert_eq!(fixture.finished("tests.brief", "dead"), 1);
}

#[tokio::test]
async fn a_panic_is_a_failed_attempt_with_its_message() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let other = fixture.enqueue(&Work).await;
    let handler = move |_, context: JobContext| async move {
        assert_ne!(context.id(), job, "this job is cursed");
        Ok(())
    };
    assert_eq!(outcomes(&fixture, handler).await, [JobOutcome::Retried, JobOutcome::Done]);
    let reason = fixture.record(job).await.last_error.unwrap();
    assert!(reason.starts_with("job/panic: ") && reason.contains("this job is cursed"), "{reason}");
    assert_eq!(fixture.state(other).await, JobState::Done);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_exceeds_its_time_is_told_then_dropped_and_has_failed() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Brief).await;
    let handler = async |_: Brief, context: JobContext| {
        context.cancelled().await;
        assert_eq!(context.time_left(), Duration::ZERO);
        std::future::pending().await
    };
    let app = fixture.due_jobs(handler);
    assert_eq!(app.run().await.unwrap()[0].outcome, JobOutcome::Retried);
    let reason = fixture.record(job).await.last_error.unwrap();
    assert!(reason.starts_with("job/timeout: the attempt took longer than 1s"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_returns_when_told_decides_itself() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Brief).await;
    let handler = async |_: Brief, context: JobContext| {
        context.cancelled().await;
        Err(JobError::retry_in(Duration::from_secs(77), "stopped at row 400"))
    };
    let app = fixture.due_jobs(handler);
    app.run().await.unwrap();
    assert_eq!(fixture.record(job).await.last_error.as_deref(), Some("stopped at row 400"));
}

#[tokio::test]
async fn a_snoozed_job_comes_back_with_its_attempt() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let minute = Duration::from_mins(1);
    let handler = move |_, _| async move { Err(JobError::snooze(minute, "the report is not there yet")) };
    assert_eq!(outcomes(&fixture, handler).await, [JobOutcome::Snoozed]);
    let record = fixture.record(job).await;
    assert_eq!((record.state, record.attempt), (JobState::Ready, 0));
    assert_eq!(record.due_at.since(dolmen::Clock::now(&fixture.clock)), minute);
}

#[tokio::test]
async fn buried_and_discarded_jobs_run_no_more() {
    for (error, outcome, state) in [
        (JobError::bury as fn(&'static str) -> JobError, JobOutcome::Dead, JobState::Dead),
        (JobError::discard, JobOutcome::Discarded, JobState::Discarded),
    ] {
        let fixture = Fixture::new();
        let job = fixture.enqueue(&Work).await;
        assert_eq!(outcomes(&fixture, move |_, _| async move { Err(error("no use")) }).await, [outcome]);
        assert_eq!(fixture.state(job).await, state);
        fixture.clock.advance(Duration::from_hours(24));
        assert!(outcomes(&fixture, async |_, _| Ok(())).await.is_empty());
    }
}

#[tokio::test]
async fn a_payload_that_this_version_cannot_read_is_buried_without_a_run() {
    let fixture = Fixture::new();
    let mut job = dolmen::ports::NewJob::new(
        dolmen::JobId::new(fixture.ports.ids().next()),
        "tests.work",
        "{\"unexpected\": true}",
        Scope::System,
    );
    job.due = Due::Now;
    let (id, queue) = (job.id, fixture.ports.queue());
    let write = async |tx: &mut WriteTx| queue.enqueue(tx, vec![job.clone()]).await;
    fixture.ports.database().system().write(write).await.unwrap();
    assert_eq!(outcomes(&fixture, async |_, _| unreachable!("it cannot be read")).await, [JobOutcome::Dead]);
    let reason = fixture.record(id).await.last_error.unwrap();
    assert!(reason.contains("job/undecodable"), "{reason}");
}

#[tokio::test]
async fn jobs_of_unknown_kinds_and_jobs_that_are_not_due_are_left_alone() {
    let fixture = Fixture::new();
    let unknown = fixture.enqueue(&Brief).await;
    let jobs = fixture.ports.jobs();
    let later = JobOptions::new().delay(Duration::from_hours(1));
    let write = async |tx: &mut WriteTx| jobs.enqueue_with(tx, &Work, later.clone()).await;
    fixture.ports.database().system().write(write).await.unwrap();
    assert!(outcomes(&fixture, async |_, _| Ok(())).await.is_empty());
    let record = fixture.record(unknown).await;
    assert_eq!((record.state, record.attempt), (JobState::Ready, 0));
    fixture.clock.advance(Duration::from_hours(1));
    assert_eq!(outcomes(&fixture, async |_, _| Ok(())).await, [JobOutcome::Done]);
}

#[tokio::test]
async fn jobs_that_jobs_enqueue_run_too_and_an_endless_chain_is_an_error() {
    let fixture = Fixture::new();
    fixture.enqueue(&Work).await;
    let jobs = fixture.ports.jobs();
    let chain = move |_: Work, context: JobContext| {
        let jobs = jobs.clone();
        async move {
            context.complete(async |tx: &mut WriteTx| jobs.enqueue(tx, &Work).await).await?;
            Ok(())
        }
    };
    let app = fixture.due_jobs(chain);
    let error = app.at_most(20).run().await.unwrap_err();
    assert!(error.to_string().contains("give the next one a delay"), "{error}");
    assert_eq!(fixture.finished("tests.work", "done"), 20);
}
