//! Waiting for work.

use std::time::Duration;

use dolmen_ports::QueueName;
use tokio::task::JoinSet;

use super::JobsSuite;
use super::probe::{H, enqueue, job};
use crate::conformance::failure::{CaseResult, Failure, ensure};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite,
        "JQ-14": a_commit_wakes_whoever_waits,
        "JQ-14": a_commit_wakes_whoever_waits_for_its_queue,
        "JQ-14": a_wait_without_work_ends_with_its_timeout,
    )
}

/// How long a waiter would wait if nothing woke it: longer than the case may take.
const FOR_EVER: Duration = Duration::from_mins(10);
/// Between two jobs; the waiter may have begun to wait after the first one was committed.
const BETWEEN: Duration = Duration::from_millis(50);

async fn ensure_woken(harness: H, queues: Vec<QueueName>, name: &'static str) -> CaseResult {
    let queue = harness.queue();
    let mut waiter = JoinSet::new();
    waiter.spawn(async move { queue.wait(&queues, FOR_EVER).await });
    for number in 0..100 {
        let mut job = job(number);
        job.queue = QueueName::new(name);
        enqueue(&harness, vec![job]).await?;
        if let Ok(woken) = tokio::time::timeout(BETWEEN, waiter.join_next()).await {
            woken.transpose()?;
            return Ok(());
        }
    }
    Err(Failure::new("100 committed jobs did not wake the waiter"))
}

async fn a_commit_wakes_whoever_waits(harness: H) -> CaseResult {
    ensure_woken(harness, Vec::new(), "default").await
}

async fn a_commit_wakes_whoever_waits_for_its_queue(harness: H) -> CaseResult {
    ensure_woken(harness, vec![QueueName::new("reports"), QueueName::new("mail")], "mail").await
}

async fn a_wait_without_work_ends_with_its_timeout(harness: H) -> CaseResult {
    let started = tokio::time::Instant::now();
    harness.queue().wait(&[], Duration::from_millis(20)).await;
    let waited = started.elapsed();
    ensure!(waited < Duration::from_secs(5), "a wait of 20 milliseconds took {waited:?}");
    Ok(())
}
