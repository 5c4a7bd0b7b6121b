//! Payloads of other versions of the program.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dolmen::ports::NewJob;
use dolmen::{BoxError, Job, JobContext, JobId, JobQueue as _, JobState, Scope, Uuid, WriteTx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::support::Fixture;

/// Version 1 had one address, version 2 had `recipients`, version 3 has `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Letter {
    to: Vec<String>,
}

impl Job for Letter {
    const KIND: &'static str = "tests.letter";
    const VERSION: u32 = 3;

    fn upcast(version: u32, mut payload: Value) -> Result<Value, BoxError> {
        match version {
            1 => Ok(json!({ "recipients": [payload["to"]] })),
            2 => Ok(json!({ "to": payload["recipients"].take() })),
            _ => Err("there is no such version".into()),
        }
    }
}

async fn enqueue(fixture: &Fixture, number: u128, version: u32, payload: Value) -> JobId {
    let mut job =
        NewJob::new(JobId::new(Uuid::from_u128(number)), Letter::KIND, payload.to_string(), Scope::System);
    job.version = version;
    let queue = &fixture.queue;
    let write = fixture
        .ports
        .database()
        .system()
        .write(async |tx: &mut WriteTx| queue.enqueue(tx, vec![job.clone()]).await);
    write.await.unwrap();
    job.id
}

async fn run(fixture: &Fixture) -> Vec<Letter> {
    let read = Arc::new(Mutex::new(Vec::new()));
    let letters = Arc::clone(&read);
    let handler = move |letter: Letter, _: JobContext| {
        letters.lock().unwrap().push(letter);
        async { Ok(()) }
    };
    fixture.due_jobs(handler).run().await.unwrap();
    read.lock().unwrap().clone()
}

#[tokio::test]
async fn older_payloads_are_brought_up_step_by_step() {
    let fixture = Fixture::new();
    enqueue(&fixture, 1, 1, json!({ "to": "a" })).await;
    enqueue(&fixture, 2, 2, json!({ "recipients": ["b", "c"] })).await;
    enqueue(&fixture, 3, 3, json!({ "to": ["d"] })).await;
    let letters: Vec<Vec<String>> = run(&fixture).await.into_iter().map(|letter| letter.to).collect();
    assert_eq!(letters, [vec!["a"], vec!["b", "c"], vec!["d"]]);
}

#[tokio::test]
async fn newer_payloads_wait_for_a_newer_program() {
    let fixture = Fixture::new();
    let job = enqueue(&fixture, 1, 4, json!({ "addresses": [] })).await;
    assert!(run(&fixture).await.is_empty());
    let record = fixture.record(job).await;
    assert_eq!((record.state, record.attempt), (JobState::Ready, 0));
}

#[tokio::test]
async fn a_payload_that_cannot_be_brought_up_is_buried_with_the_reason() {
    let fixture = Fixture::new();
    let job = enqueue(&fixture, 1, 2, json!({ "recipients": 7 })).await;
    assert!(run(&fixture).await.is_empty());
    fixture.clock.advance(Duration::from_secs(1));
    let record = fixture.record(job).await;
    assert_eq!(record.state, JobState::Dead);
    let reason = record.last_error.unwrap();
    assert!(reason.contains("job/undecodable: tests.letter: the payload of version 2"), "{reason}");
}
