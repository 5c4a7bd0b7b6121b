//! What operators do: ask why, retry and give up what has something in common, pause a queue; all of it audited.

use std::sync::Arc;
use std::time::Duration;

use dolmen::ports::NewJob;
use dolmen::{
    Actor, App, AuditLog, AuditTrail, InlineModule, JobAdmin, JobError, JobFilter, JobId, JobQueue as _,
    JobState, QueueName, ReadTx, Scope, Uuid, WriteTx,
};
use dolmen_testkit::fakes::MemoryAuditLog;

use crate::support::{Fixture, Work};

struct Desk {
    fixture: Fixture,
    log: Arc<MemoryAuditLog>,
    admin: JobAdmin,
    app: App,
}

/// An application whose one job always ends as a dead letter.
fn desk() -> Desk {
    let fixture = Fixture::new();
    let log = Arc::new(MemoryAuditLog::new());
    let audit = AuditTrail::new(
        Arc::clone(&log) as Arc<dyn AuditLog>,
        Arc::clone(fixture.ports.clock()),
        Arc::clone(fixture.ports.ids()),
    );
    let module = InlineModule::new("tests", |registrar| {
        registrar.job(async |_: Work, _| Err::<(), _>(JobError::bury("no such customer")));
    });
    let app = App::builder(fixture.ports.clone()).module(module).build();
    let admin = app.job_admin(audit);
    Desk { fixture, log, admin, app }
}

impl Desk {
    async fn enqueue(&self, number: u128, change: impl FnOnce(&mut NewJob)) -> JobId {
        let mut job = NewJob::new(JobId::new(Uuid::from_u128(number)), "tests.work", "null", Scope::System);
        change(&mut job);
        let (queue, database) = (&self.fixture.queue, self.fixture.ports.database().system());
        database.write(async |tx: &mut WriteTx| queue.enqueue(tx, vec![job.clone()]).await).await.unwrap();
        job.id
    }

    async fn audited(&self) -> Vec<String> {
        let (log, database) = (&self.log, self.fixture.ports.database().system());
        let entries = database.read(async |tx: &mut ReadTx| log.list(tx, None, 100).await).await.unwrap();
        entries.into_iter().map(|entry| format!("{} {}", entry.action, entry.target)).collect()
    }
}

#[tokio::test]
async fn dead_letters_are_retried_and_given_up_by_what_they_have_in_common() {
    let desk = desk();
    for number in 1..=3 {
        desk.enqueue(number, |job| job.queue = QueueName::new(if number == 3 { "mail" } else { "default" }))
            .await;
    }
    desk.app.due_jobs().run().await.unwrap();
    let mut mail = JobFilter::all();
    mail.queue = Some(QueueName::new("mail"));
    assert_eq!(desk.admin.retry_all(Actor::System, &mail).await.unwrap(), 1);
    let mut reason = JobFilter::all();
    reason.reason = Some("such customer".to_owned());
    assert_eq!(desk.admin.discard_all(Actor::System, &reason).await.unwrap(), 2);
    let states: Vec<JobState> =
        desk.admin.list(&JobFilter::all()).await.unwrap().iter().map(|job| job.state).collect();
    assert_eq!(states, [JobState::Ready, JobState::Discarded, JobState::Discarded]);
    let mut audited = desk.audited().await;
    audited.sort();
    let id = |number| JobId::new(Uuid::from_u128(number));
    assert_eq!(
        audited,
        [
            format!("jobs.discard_job job/{}", id(1)),
            format!("jobs.discard_job job/{}", id(2)),
            format!("jobs.retry_job job/{}", id(3))
        ]
    );
}

#[tokio::test]
async fn a_job_says_why_it_does_not_run() {
    let desk = desk();
    let waits = desk.enqueue(1, |job| job.ordering_key = Some("a".to_owned())).await;
    let behind = desk.enqueue(2, |job| job.ordering_key = Some("a".to_owned())).await;
    let later = desk.enqueue(3, |job| job.due = dolmen::Due::In(Duration::from_hours(1))).await;
    let unknown = desk.enqueue(4, |job| job.kind = "tests.from_the_future".into()).await;
    let newer = desk.enqueue(5, |job| job.version = 2).await;
    let mail = desk.enqueue(6, |job| job.queue = QueueName::new("mail")).await;
    desk.admin.pause(Actor::System, &QueueName::new("mail")).await.unwrap();
    for (job, words) in [
        (waits, "waits for a worker with room"),
        (behind, "behind job 00000000-0000-0000-0000-000000000001"),
        (later, "it is due at"),
        (unknown, "does not know the kind tests.from_the_future"),
        (newer, "has version 2"),
        (mail, "the queue mail is paused"),
    ] {
        let why = desk.admin.why(job).await.unwrap();
        assert!(why.contains(words), "{words}: {why}");
    }
    desk.app.due_jobs().run().await.unwrap();
    let why = desk.admin.why(waits).await.unwrap();
    assert!(why.contains("a dead letter") && why.contains("no such customer"), "{why}");
    desk.admin.resume(Actor::System, &QueueName::new("mail")).await.unwrap();
    assert_eq!(desk.app.due_jobs().run().await.unwrap().len(), 1);
    assert_eq!(desk.audited().await.len(), 2);
}
