//! Jobs that run right after the transaction that enqueued them.

#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use dolmen::{InlineModule, Job, JobContext, JobError, JobOptions, JobOutcome, Jobs, Module};
use dolmen_ports::{ErrorKind, PortError, PortResult, ReadTx, Scope, WriteTx};
use dolmen_testkit::TestApp;
use dolmen_testkit::fakes::MemoryTable;
use serde::{Deserialize, Serialize};

const DONE: MemoryTable<u32, ()> = MemoryTable::new("chain_done");

/// Counts down: each one writes its number and enqueues the next.
#[derive(Debug, Serialize, Deserialize)]
struct Count {
    left: u32,
}

impl Job for Count {
    const KIND: &'static str = "chain.count";
}

/// Writes its number.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    number: u32,
}

impl Job for Note {
    const KIND: &'static str = "chain.note";
}

/// Fails the first time.
#[derive(Debug, Serialize, Deserialize)]
struct Stumble {}

impl Job for Stumble {
    const KIND: &'static str = "chain.stumble";
}

fn chain(jobs: Jobs) -> impl Module {
    InlineModule::new("chain", move |registrar| {
        let jobs = jobs.clone();
        registrar.job(move |job: Count, context: JobContext| {
            let jobs = jobs.clone();
            async move {
                let write = context.complete(async |tx: &mut WriteTx| {
                    DONE.insert(tx, job.left, ())?;
                    match job.left.checked_sub(1) {
                        Some(left) => jobs.enqueue(tx, &Count { left }).await.map(drop),
                        None => Ok(()),
                    }
                });
                write.await?;
                Ok::<(), JobError>(())
            }
        });
        registrar.job(async |job: Note, context: JobContext| {
            context.complete(async |tx: &mut WriteTx| DONE.insert(tx, job.number, ())).await?;
            Ok::<(), JobError>(())
        });
        registrar.job(async |_: Stumble, context: JobContext| match context.attempt() {
            1 => Err(JobError::retry("a stone")),
            _ => Ok(()),
        });
    })
}

fn app() -> TestApp {
    TestApp::builder().module(|fakes| chain(fakes.app().jobs())).inline().start().unwrap()
}

async fn done(app: &TestApp) -> usize {
    app.database().system().read(async |tx: &mut ReadTx| DONE.len(tx)).await.unwrap()
}

#[tokio::test]
async fn jobs_and_the_jobs_that_they_enqueue_run_before_the_commit_returns() {
    let app = app();
    app.enqueue(Scope::System, &Count { left: 4 }).await.unwrap();
    assert_eq!(done(&app).await, 5);
    let outcomes: Vec<JobOutcome> = app.drain().await.unwrap().iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [JobOutcome::Done; 5], "a drain returns what ran since the last one");
    assert!(app.drain().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_transaction_that_is_rolled_back_runs_nothing() {
    let app = app();
    let jobs = app.fakes().app().jobs();
    let refused: PortResult<()> = app
        .database()
        .system()
        .write(async |tx: &mut WriteTx| {
            jobs.enqueue(tx, &Count { left: 0 }).await?;
            Err(PortError::new(ErrorKind::Conflict, "chain", "begin"))
        })
        .await;
    assert!(refused.is_err());
    assert_eq!(done(&app).await, 0);
}

#[tokio::test]
async fn a_job_that_fails_is_not_the_failure_of_its_caller_and_runs_again_with_the_clock() {
    let app = app();
    app.enqueue(Scope::System, &Stumble {}).await.unwrap();
    app.advance(Duration::from_mins(1)).await.unwrap();
    let outcomes: Vec<JobOutcome> = app.drain().await.unwrap().iter().map(|run| run.outcome).collect();
    assert_eq!(outcomes, [JobOutcome::Retried, JobOutcome::Done]);
}

#[tokio::test]
async fn a_delayed_job_runs_when_the_clock_is_there() {
    let app = app();
    let delay = JobOptions::new().delay(Duration::from_mins(3));
    app.enqueue_with(Scope::System, &Count { left: 0 }, delay).await.unwrap();
    app.advance(Duration::from_mins(2)).await.unwrap();
    assert_eq!(done(&app).await, 0);
    app.advance(Duration::from_mins(1)).await.unwrap();
    assert_eq!(done(&app).await, 1);
}

#[tokio::test]
async fn tasks_that_commit_at_once_leave_no_job_behind() {
    let app = Arc::new(app());
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..50 {
        let app = Arc::clone(&app);
        tasks.spawn(async move { app.enqueue(Scope::System, &Note { number }).await.map(drop) });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap().unwrap();
    }
    assert_eq!(done(&app).await, 50);
}

#[tokio::test]
async fn without_the_option_jobs_wait_for_a_drain() {
    let app = TestApp::builder().module(|fakes| chain(fakes.app().jobs())).start().unwrap();
    app.enqueue(Scope::System, &Count { left: 0 }).await.unwrap();
    assert_eq!(done(&app).await, 0);
    app.drain().await.unwrap();
    assert_eq!(done(&app).await, 1);
}
