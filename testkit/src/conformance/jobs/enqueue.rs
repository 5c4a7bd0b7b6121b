//! Enqueueing: with the transaction, by the rules, once per unique key.

use std::time::Duration;

use dolmen_ports::{
    Due, Enqueued, ErrorKind, JobFailure, JobState, NewJob, NextStep, PortError, PortResult, QueueName,
    Scope, TenantId, Unique, Uuid,
};
use tokio::task::JoinSet;

use super::JobsSuite;
use super::probe::{H, KIND, claim, claim_one, enqueue, find, id, ids, job, record};
use crate::conformance::cancel::after_waits;
use crate::conformance::failure::{CaseResult, ensure, ensure_eq, ensure_kind};
use crate::conformance::foreign::foreign_tx;
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite,
        "JQ-1": a_committed_job_is_there,
        "JQ-1": a_rolled_back_job_is_not_there,
        "JQ-1": an_enqueue_cancelled_at_any_await_stores_all_jobs_or_none,
        "JQ-1": an_uncommitted_job_is_not_claimed,
        "JQ-1": a_batch_is_answered_in_its_order,
        "JQ-1": an_empty_batch_is_fine,
        "JQ-1": an_id_that_was_used_already_exists,
        "JQ-1": a_transaction_of_another_backend_is_refused,
        "JQ-4": a_job_that_breaks_a_rule_is_refused_with_all_its_batch,
        "JQ-4": payloads_up_to_the_limit_are_stored,
        "JQ-11": a_second_job_with_a_unique_key_is_a_duplicate,
        "JQ-11": a_duplicate_within_one_batch_is_found,
        "JQ-11": a_running_job_keeps_its_unique_key,
        "JQ-11": a_finished_job_gives_its_unique_key_back,
        "JQ-11": a_key_can_be_held_by_done_jobs_and_dead_letters,
        "JQ-11": a_key_can_be_unique_per_period,
        "JQ-11": a_unique_key_belongs_to_its_kind_and_scope,
        "JQ-11": unique_keys_are_compared_exactly,
        "JQ-11": a_rolled_back_unique_job_does_not_count,
        "JQ-11": of_concurrent_unique_jobs_one_is_new,
    )
}

/// More awaits than any enqueue has.
const MAX_WAITS: usize = 2_000;

/// Breaks a rule of a job.
type Spoil = fn(&mut NewJob);

/// Job `number` with the unique key `key`.
fn unique(number: u32, key: &str) -> NewJob {
    let mut job = job(number);
    job.unique = Some(key.into());
    job
}

async fn a_committed_job_is_there(harness: H) -> CaseResult {
    let results = enqueue(&harness, vec![job(1)]).await?;
    ensure_eq!(results, [Enqueued::New(id(1))], "the result");
    let record = record(&harness, id(1)).await?;
    ensure_eq!((record.state, record.attempt, record.crashes), (JobState::Ready, 0, 0), "what is stored");
    ensure_eq!((record.kind.as_str(), record.tenant), (KIND, None), "kind and tenant");
    ensure_eq!((record.finished_at, record.last_error), (None, None), "what is not known yet");
    ensure_eq!(claim_one(&harness).await?.lease.job, id(1), "the claimed job");
    Ok(())
}

async fn a_rolled_back_job_is_not_there(harness: H) -> CaseResult {
    let queue = harness.queue();
    let result: PortResult<()> = harness
        .database()
        .system()
        .write(async |tx| {
            queue.enqueue(tx, vec![job(1)]).await?;
            Err(PortError::new(ErrorKind::Conflict, "suite", "go on"))
        })
        .await;
    ensure_kind!(result, ErrorKind::Conflict, "the closure's own error");
    let mut tx = harness.database().system().begin().await?;
    queue.enqueue(&mut tx, vec![job(2)]).await?;
    drop(tx);
    for number in [1, 2] {
        ensure_eq!(find(&harness, id(number)).await?, None, "job {number} after the rollback");
    }
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs to claim");
    Ok(())
}

async fn an_enqueue_cancelled_at_any_await_stores_all_jobs_or_none(harness: H) -> CaseResult {
    for waits in 0..MAX_WAITS {
        let first = u32::try_from(waits)? * 2;
        let done = after_waits(waits, enqueue(&harness, vec![job(first), job(first + 1)])).await;
        let stored = claim(&harness, 10).await?.len();
        if let Some(result) = done {
            result?;
            ensure_eq!(stored, 2, "jobs of the enqueue that was not cancelled");
            return Ok(());
        }
        ensure!(stored == 0 || stored == 2, "{stored} of 2 jobs after a cancel at await {waits}");
    }
    ensure!(false, "the enqueue still waited after {MAX_WAITS} awaits");
    Ok(())
}

async fn an_uncommitted_job_is_not_claimed(harness: H) -> CaseResult {
    let queue = harness.queue();
    let mut tx = harness.database().system().begin().await?;
    queue.enqueue(&mut tx, vec![job(1)]).await?;
    ensure!(queue.find(&mut tx, id(1)).await?.is_some(), "the transaction does not see its own job");
    ensure_eq!(find(&harness, id(1)).await?, None, "what another transaction sees");
    tx.commit().await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(1)], "jobs to claim after the commit");
    Ok(())
}

async fn a_batch_is_answered_in_its_order(harness: H) -> CaseResult {
    enqueue(&harness, vec![unique(1, "taken")]).await?;
    let results = enqueue(&harness, vec![job(9), unique(8, "taken"), job(7), unique(6, "free")]).await?;
    let expected =
        [Enqueued::New(id(9)), Enqueued::Duplicate(id(1)), Enqueued::New(id(7)), Enqueued::New(id(6))];
    ensure_eq!(results, expected, "the results");
    let many: Vec<NewJob> = (100..400).rev().map(job).collect();
    let expected: Vec<Enqueued> = many.iter().map(|job| Enqueued::New(job.id)).collect();
    ensure_eq!(enqueue(&harness, many).await?, expected, "the results of a large batch");
    Ok(())
}

async fn an_empty_batch_is_fine(harness: H) -> CaseResult {
    ensure_eq!(enqueue(&harness, Vec::new()).await?, [], "the results");
    Ok(())
}

async fn an_id_that_was_used_already_exists(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1)]).await?;
    ensure_kind!(enqueue(&harness, vec![job(2), job(1)]).await, ErrorKind::AlreadyExists, "the id of job 1");
    ensure_eq!(find(&harness, id(2)).await?, None, "the other job of the batch");
    Ok(())
}

async fn a_transaction_of_another_backend_is_refused(harness: H) -> CaseResult {
    let result = harness.queue().enqueue(&mut foreign_tx(), vec![job(1)]).await;
    ensure_kind!(result, ErrorKind::WrongBackend, "enqueueing in a transaction of another backend");
    Ok(())
}

async fn a_job_that_breaks_a_rule_is_refused_with_all_its_batch(harness: H) -> CaseResult {
    let spoilers: [(&str, Spoil); 11] = [
        ("kind", |job| job.kind = "Kind!".into()),
        ("queue", |job| job.queue = QueueName::new("a b")),
        ("payload", |job| job.payload = "x".repeat(NewJob::MAX_PAYLOAD_BYTES + 1)),
        ("payload with U+0000", |job| "\0".clone_into(&mut job.payload)),
        ("priority", |job| job.priority = -101),
        ("max_attempts", |job| job.max_attempts = 1_001),
        ("timeout", |job| job.timeout = Duration::from_millis(999)),
        ("delay", |job| job.due = Due::In(Duration::MAX)),
        ("unique key", |job| job.unique = Some("k".repeat(NewJob::MAX_KEY_BYTES + 1).into())),
        ("ordering key", |job| job.ordering_key = Some(String::new())),
        ("version", |job| job.version = NewJob::MAX_VERSION + 1),
    ];
    for (field, spoil) in spoilers {
        let mut spoiled = job(2);
        spoil(&mut spoiled);
        let queue = harness.queue();
        let mut tx = harness.database().system().begin().await?;
        let result = queue.enqueue(&mut tx, vec![job(1), spoiled]).await;
        ensure_kind!(result, ErrorKind::InvalidInput, "a job with a wrong {field}");
        // Refused before the database was asked: the transaction goes on.
        tx.commit().await?;
        ensure_eq!(find(&harness, id(1)).await?, None, "the sound job beside the wrong {field}");
    }
    Ok(())
}

async fn payloads_up_to_the_limit_are_stored(harness: H) -> CaseResult {
    let payloads = ["{}".to_owned(), format!("\"{}\"", "ü🪨".repeat(10_922))];
    for (number, payload) in (1..).zip(payloads) {
        ensure!(
            payload.len() <= NewJob::MAX_PAYLOAD_BYTES,
            "the suite's payload has {} bytes",
            payload.len()
        );
        let mut job = job(number);
        job.payload.clone_from(&payload);
        enqueue(&harness, vec![job]).await?;
        ensure!(claim_one(&harness).await?.payload == payload, "payload {number} differs");
    }
    Ok(())
}

async fn a_second_job_with_a_unique_key_is_a_duplicate(harness: H) -> CaseResult {
    ensure_eq!(enqueue(&harness, vec![unique(1, "k")]).await?, [Enqueued::New(id(1))], "the first");
    ensure_eq!(enqueue(&harness, vec![unique(2, "k")]).await?, [Enqueued::Duplicate(id(1))], "the second");
    ensure_eq!(enqueue(&harness, vec![unique(3, "other")]).await?, [Enqueued::New(id(3))], "another key");
    ensure_eq!(find(&harness, id(2)).await?, None, "the duplicate");
    Ok(())
}

async fn a_duplicate_within_one_batch_is_found(harness: H) -> CaseResult {
    let results = enqueue(&harness, vec![unique(2, "k"), unique(1, "k"), unique(3, "k")]).await?;
    let first = id(2);
    ensure_eq!(
        results,
        [Enqueued::New(first), Enqueued::Duplicate(first), Enqueued::Duplicate(first)],
        "all"
    );
    Ok(())
}

async fn a_running_job_keeps_its_unique_key(harness: H) -> CaseResult {
    enqueue(&harness, vec![unique(1, "k")]).await?;
    claim_one(&harness).await?;
    ensure_eq!(enqueue(&harness, vec![unique(2, "k")]).await?, [Enqueued::Duplicate(id(1))], "the second");
    Ok(())
}

async fn a_finished_job_gives_its_unique_key_back(harness: H) -> CaseResult {
    let queue = harness.queue();
    for (number, next) in (1..).zip([None, Some(NextStep::Bury), Some(NextStep::Discard)]) {
        let results = enqueue(&harness, vec![unique(number, "k")]).await?;
        ensure_eq!(results, [Enqueued::New(id(number))], "job {number}");
        let lease = claim_one(&harness).await?.lease;
        match next {
            None => drop(queue.complete_all(&[lease]).await?),
            Some(next) => drop(queue.fail(&lease, &JobFailure::new("suite", next)).await?),
        }
    }
    ensure_eq!(enqueue(&harness, vec![unique(4, "k")]).await?, [Enqueued::New(id(4))], "after a discard");
    harness.database().system().write(async |tx| queue.discard(tx, id(4)).await).await?;
    ensure_eq!(enqueue(&harness, vec![unique(5, "k")]).await?, [Enqueued::New(id(5))], "after giving up");
    Ok(())
}

async fn a_key_can_be_held_by_done_jobs_and_dead_letters(harness: H) -> CaseResult {
    let queue = harness.queue();
    let with = |number: u32, unique: Unique| {
        let mut job = job(number);
        job.unique = Some(unique);
        job
    };
    let (done, dead) = (Unique::new("done").even_done(), Unique::new("dead").even_dead());
    enqueue(&harness, vec![with(1, done.clone())]).await?;
    queue.complete_all(&[claim_one(&harness).await?.lease]).await?;
    enqueue(&harness, vec![with(2, dead.clone())]).await?;
    let lease = claim_one(&harness).await?.lease;
    queue.fail(&lease, &JobFailure::new("suite", NextStep::Bury)).await?;
    let results = enqueue(&harness, vec![with(3, done), with(4, dead.clone())]).await?;
    ensure_eq!(results, [Enqueued::Duplicate(id(1)), Enqueued::Duplicate(id(2))], "of a done and a dead one");
    // The one that holds the key is retried and given up without standing in its own way.
    harness.database().system().write(async |tx| queue.retry(tx, id(2)).await).await?;
    ensure_eq!(
        enqueue(&harness, vec![with(5, dead.clone())]).await?,
        [Enqueued::Duplicate(id(2))],
        "a retried one"
    );
    harness.database().system().write(async |tx| queue.discard(tx, id(2)).await).await?;
    ensure_eq!(enqueue(&harness, vec![with(6, dead)]).await?, [Enqueued::New(id(6))], "after a discard");
    harness.age(Duration::from_secs(1)).await?;
    queue.prune(Duration::ZERO, 10).await?;
    let results = enqueue(&harness, vec![with(7, Unique::new("done").even_done())]).await?;
    ensure_eq!(results, [Enqueued::New(id(7))], "after the done one was pruned");
    Ok(())
}

async fn a_key_can_be_unique_per_period(harness: H) -> CaseResult {
    // The longest period: one ends while the suite runs about once in a year of years.
    let year = Duration::from_hours(366 * 24);
    let with = |number: u32| {
        let mut job = job(number);
        job.unique = Some(Unique::new("k").per(year));
        job
    };
    let results = enqueue(&harness, vec![with(1), with(2), unique(3, "k")]).await?;
    ensure_eq!(
        results,
        [Enqueued::New(id(1)), Enqueued::Duplicate(id(1)), Enqueued::New(id(3))],
        "in a period"
    );
    harness.age(year).await?;
    let results = enqueue(&harness, vec![with(4), with(5), unique(6, "k")]).await?;
    ensure_eq!(
        results,
        [Enqueued::New(id(4)), Enqueued::Duplicate(id(4)), Enqueued::Duplicate(id(3))],
        "in the next"
    );
    Ok(())
}

async fn a_unique_key_belongs_to_its_kind_and_scope(harness: H) -> CaseResult {
    let (mut other_kind, mut one_tenant, mut other_tenant) = (unique(2, "k"), unique(3, "k"), unique(4, "k"));
    other_kind.kind = "suite.do_other_work".into();
    one_tenant.scope = Scope::Tenant(TenantId::new(Uuid::from_u128(1)));
    other_tenant.scope = Scope::Tenant(TenantId::new(Uuid::from_u128(2)));
    let mut again = one_tenant.clone();
    again.id = id(5);
    let results =
        enqueue(&harness, vec![unique(1, "k"), other_kind, one_tenant, other_tenant, again]).await?;
    let expected = [
        Enqueued::New(id(1)),
        Enqueued::New(id(2)),
        Enqueued::New(id(3)),
        Enqueued::New(id(4)),
        Enqueued::Duplicate(id(3)),
    ];
    ensure_eq!(results, expected, "the results");
    Ok(())
}

async fn unique_keys_are_compared_exactly(harness: H) -> CaseResult {
    let keys = ["a", "A", "á", "a ", " a", "🪨", "%", "_", &"k".repeat(NewJob::MAX_KEY_BYTES)];
    let jobs: Vec<NewJob> = (1..).zip(keys).map(|(number, key)| unique(number, key)).collect();
    let expected: Vec<Enqueued> = jobs.iter().map(|job| Enqueued::New(job.id)).collect();
    ensure_eq!(enqueue(&harness, jobs).await?, expected, "the results");
    Ok(())
}

async fn a_rolled_back_unique_job_does_not_count(harness: H) -> CaseResult {
    let queue = harness.queue();
    let mut tx = harness.database().system().begin().await?;
    queue.enqueue(&mut tx, vec![unique(1, "k")]).await?;
    // Waits for the transaction above, if it sees its job at all, and must not believe in it.
    let mut second = JoinSet::new();
    let task_harness = H::clone(&harness);
    second.spawn(async move { enqueue(&task_harness, vec![unique(2, "k")]).await });
    tokio::task::yield_now().await;
    tx.rollback().await?;
    let results = second.join_next().await.transpose()?.transpose()?;
    ensure_eq!(results, Some(vec![Enqueued::New(id(2))]), "the second job");
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(2)], "jobs to claim");
    Ok(())
}

async fn of_concurrent_unique_jobs_one_is_new(harness: H) -> CaseResult {
    let mut tasks = JoinSet::new();
    for number in 0..8 {
        let harness = H::clone(&harness);
        tasks.spawn(async move { enqueue(&harness, vec![unique(number, "k")]).await });
    }
    let mut results = Vec::new();
    while let Some(result) = tasks.join_next().await {
        results.extend(result??);
    }
    let new: Vec<_> = results.iter().filter(|result| matches!(result, Enqueued::New(_))).collect();
    ensure_eq!(new.len(), 1, "new jobs among {results:?}");
    let first = claim_one(&harness).await?.lease.job;
    ensure!(results.iter().all(|result| result.id() == first), "{results:?} name other jobs than {first}");
    Ok(())
}
