//! What a worker does for all: rescues, removes, tells of what nobody can run.

use std::time::Duration;

use dolmen::ports::jobs::OldestSnapshot;
use dolmen::ports::{ClaimRequest, KnownKind, WorkerId};
use dolmen::{JobContext, JobQueue, JobState, WriteTx};

use crate::support::{Brief, Fixture, Work, quick, until, write_effect};

#[tokio::test]
async fn a_job_of_a_process_that_died_is_run_by_another() {
    let fixture = Fixture::new();
    let job = fixture.enqueue(&Work).await;
    let ghost = WorkerId::new(fixture.ports.ids().next());
    let minute = Duration::from_mins(1);
    let request = ClaimRequest::new(ghost, vec![KnownKind::new("tests.work", 1)], 1, minute);
    assert_eq!(fixture.queue.inner.claim(&request).await.unwrap().len(), 1);
    let handler = async |_: Work, context: JobContext| {
        context.complete(async |tx: &mut WriteTx| write_effect(tx, "once").await).await?;
        Ok(())
    };
    let worker = fixture.start(handler, quick());
    until("the worker to look", async || fixture.claims() >= 2).await;
    assert_eq!(fixture.state(job).await, JobState::Running, "its lease holds");
    fixture.clock.advance(minute);
    fixture.until_state(job, JobState::Done).await;
    worker.end().await;
    let record = fixture.record(job).await;
    assert_eq!((record.attempt, record.crashes), (2, 1));
    assert_eq!(fixture.effects().await, ["once"]);
}

#[tokio::test(start_paused = true)]
async fn finished_jobs_are_removed_when_they_are_old_and_dead_ones_stay() {
    let fixture = Fixture::new();
    let (done, dead) = (fixture.enqueue(&Work).await, fixture.enqueue(&Work).await);
    let handler = move |_: Work, context: JobContext| async move {
        if context.id() == dead { Err(dolmen::JobError::bury("no use")) } else { Ok(()) }
    };
    fixture.due_jobs(handler).run().await.unwrap();
    let (second, day) = (Duration::from_secs(1), Duration::from_hours(24));
    let looks = fixture.claims();
    let worker = fixture.start(async |_: Work, _| Ok(()), quick().with_retention(day));
    until("the worker to look", async || fixture.claims() > looks).await;
    fixture.clock.advance(day);
    tokio::time::advance(Duration::from_hours(1)).await;
    until("the first removal", async || fixture.prunes() >= 1).await;
    assert!(fixture.find(done).await.is_some(), "it is not older than a day");
    fixture.clock.advance(second);
    tokio::time::advance(Duration::from_hours(1)).await;
    until("the second removal", async || fixture.prunes() >= 2).await;
    assert!(fixture.find(done).await.is_none());
    assert_eq!(fixture.state(dead).await, JobState::Dead);
    worker.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_rescue_that_takes_long_does_not_keep_old_jobs_from_being_removed() {
    let fixture = Fixture::new();
    fixture.queue.knobs.rescues.send_replace(false);
    let worker = fixture.start(async |_: Work, _| Ok(()), quick());
    until("the worker to look", async || fixture.claims() >= 1).await;
    tokio::time::advance(Duration::from_hours(1)).await;
    until("a removal", async || fixture.prunes() >= 1).await;
    fixture.queue.knobs.rescues.send_replace(true);
    worker.end().await;
}

#[tokio::test(start_paused = true)]
async fn the_age_of_the_oldest_transaction_is_measured() {
    let fixture = Fixture::new();
    let worker = fixture.start(async |_: Work, _| Ok(()), quick());
    until("the first look", async || fixture.oldest_snapshot_seconds() == Some(0.0)).await;
    let oldest = OldestSnapshot::new("process 7", Duration::from_secs(90));
    *fixture.queue.knobs.oldest_snapshot.lock().unwrap() = Some(oldest);
    until("a look that sees it", async || fixture.oldest_snapshot_seconds() == Some(90.0)).await;
    worker.end().await;
}

#[tokio::test(start_paused = true)]
async fn jobs_of_unknown_kinds_are_counted_when_nobody_took_them_for_five_minutes() {
    let fixture = Fixture::new();
    fixture.enqueue(&Brief).await;
    let worker = fixture.start(async |_: Work, _| Ok(()), quick());
    until("the worker to look", async || fixture.claims() >= 1).await;
    let five_minutes = Duration::from_mins(5);
    tokio::time::advance(five_minutes).await;
    until("the first look", async || fixture.unclaimable() == Some(0.0)).await;
    fixture.clock.advance(five_minutes);
    tokio::time::advance(five_minutes).await;
    until("the second look", async || fixture.unclaimable() == Some(1.0)).await;
    worker.end().await;
}
