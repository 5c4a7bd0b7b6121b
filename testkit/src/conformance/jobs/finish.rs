//! Ending an attempt: complete, fail, release.

use std::time::Duration;

use dolmen_ports::{ErrorKind, JobFailure, JobState, NextStep, PortError, PortResult};

use super::JobsSuite;
use super::probe::{H, claim, claim_one, enqueue, enqueue_and_claim, id, ids, job, record};
use crate::conformance::failure::{CaseResult, Failure, ensure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite,
        "JQ-7": completion_takes_effect_with_the_transaction,
        "JQ-7": completion_that_is_rolled_back_leaves_the_job_running,
        "JQ-7": completion_and_what_it_enqueues_commit_together,
        "JQ-7": completing_many_finishes_them_all,
        "JQ-6": completing_twice_gives_lease_lost,
        "JQ-6": a_batch_completes_the_held_and_lists_the_lost,
        "JQ-6": an_expired_lease_that_nobody_took_over_still_completes,
        "JQ-9": a_released_job_can_be_claimed_again_at_once,
        "JQ-9": releasing_spends_no_attempt,
        "JQ-9": a_job_released_with_a_delay_waits_for_it,
        "JQ-10": a_failed_job_waits_for_its_delay,
        "JQ-10": a_failed_job_is_claimed_again_while_its_claim_goes_on,
        "JQ-10": a_job_whose_attempts_are_spent_is_dead,
        "JQ-10": a_buried_job_is_dead_at_once,
        "JQ-10": a_discarded_failure_is_no_dead_letter,
        "JQ-10": the_reason_of_a_failure_is_kept,
        "JQ-10": a_very_long_reason_is_cut,
    )
}

fn retry_in(delay: Duration) -> JobFailure {
    JobFailure::new("no answer", NextStep::RetryIn(delay))
}

async fn completion_takes_effect_with_the_transaction(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let queue = harness.queue();
    harness.database().system().write(async |tx| queue.complete(tx, &lease).await).await?;
    let record = record(&harness, id(1)).await?;
    ensure_eq!(record.state, JobState::Done, "the state");
    ensure!(record.finished_at.is_some(), "a done job has no instant at which it finished");
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs to claim");
    Ok(())
}

async fn completion_that_is_rolled_back_leaves_the_job_running(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let queue = harness.queue();
    let result: PortResult<()> = harness
        .database()
        .system()
        .write(async |tx| {
            queue.complete(tx, &lease).await?;
            Err(PortError::new(ErrorKind::Conflict, "suite", "go on"))
        })
        .await;
    ensure_kind!(result, ErrorKind::Conflict, "the closure's own error");
    let mut tx = harness.database().system().begin().await?;
    queue.complete(&mut tx, &lease).await?;
    drop(tx);
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Running, "the state after two rollbacks");
    harness.database().system().write(async |tx| queue.complete(tx, &lease).await).await?;
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Done, "the state after the commit");
    Ok(())
}

async fn completion_and_what_it_enqueues_commit_together(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let queue = harness.queue();
    let work = harness.database().system().write(async |tx| {
        queue.enqueue(tx, vec![job(2)]).await?;
        queue.complete(tx, &lease).await
    });
    work.await?;
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Done, "the state of the first job");
    ensure_eq!(claim_one(&harness).await?.lease.job, id(2), "the job that it enqueued");
    Ok(())
}

async fn completing_many_finishes_them_all(harness: H) -> CaseResult {
    enqueue(&harness, (0..50).map(job).collect()).await?;
    let leases: Vec<_> = claim(&harness, 50).await?.iter().map(|job| job.lease).collect();
    ensure_eq!(harness.queue().complete_all(&leases).await?, [], "lost leases");
    for number in 0..50 {
        ensure_eq!(record(&harness, id(number)).await?.state, JobState::Done, "the state of job {number}");
    }
    ensure_eq!(harness.queue().complete_all(&[]).await?, [], "lost leases of an empty batch");
    Ok(())
}

async fn completing_twice_gives_lease_lost(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let queue = harness.queue();
    harness.database().system().write(async |tx| queue.complete(tx, &lease).await).await?;
    let again = harness.database().system().write(async |tx| queue.complete(tx, &lease).await).await;
    ensure_kind!(again, ErrorKind::LeaseLost, "the second completion");
    ensure_eq!(queue.complete_all(&[lease]).await?, [id(1)], "what a batch lists as lost");
    ensure_kind!(queue.fail(&lease, &retry_in(Duration::ZERO)).await, ErrorKind::LeaseLost, "failing it");
    ensure_eq!(queue.release(&[lease], Duration::ZERO).await?, [id(1)], "what a release lists as lost");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Done, "the state");
    Ok(())
}

async fn a_batch_completes_the_held_and_lists_the_lost(harness: H) -> CaseResult {
    enqueue(&harness, (1..=3).map(job).collect()).await?;
    let mut leases: Vec<_> = claim(&harness, 3).await?.iter().map(|job| job.lease).collect();
    leases.sort_by_key(|lease| lease.job);
    let queue = harness.queue();
    queue.release(leases.get(1..2).unwrap_or_default(), Duration::ZERO).await?;
    ensure_eq!(queue.complete_all(&leases).await?, [id(2)], "lost leases");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Done, "the state of job 1");
    ensure_eq!(
        record(&harness, id(2)).await?.state,
        JobState::Ready,
        "the state of job 2, which was released"
    );
    ensure_eq!(record(&harness, id(3)).await?.state, JobState::Done, "the state of job 3");
    Ok(())
}

async fn an_expired_lease_that_nobody_took_over_still_completes(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    harness.age(Duration::from_mins(10)).await?;
    ensure_eq!(harness.queue().complete_all(&[lease]).await?, [], "lost leases");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Done, "the state");
    Ok(())
}

async fn a_released_job_can_be_claimed_again_at_once(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    ensure_eq!(harness.queue().release(&[lease], Duration::ZERO).await?, [], "lost leases");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Ready, "the state");
    ensure_eq!(claim_one(&harness).await?.lease.job, id(1), "the job");
    Ok(())
}

async fn releasing_spends_no_attempt(harness: H) -> CaseResult {
    let mut once = job(1);
    once.max_attempts = 1;
    enqueue(&harness, vec![once]).await?;
    for _ in 0..5 {
        let claimed = claim_one(&harness).await?;
        ensure_eq!(claimed.attempt, 1, "the attempt of a job that was only released");
        harness.queue().release(&[claimed.lease], Duration::ZERO).await?;
        ensure_eq!(record(&harness, id(1)).await?.attempt, 0, "attempts after the release");
    }
    Ok(())
}

async fn a_job_released_with_a_delay_waits_for_it(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    harness.queue().release(&[lease], Duration::from_mins(5)).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs before the delay");
    harness.age(Duration::from_mins(6)).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(1)], "jobs after the delay");
    Ok(())
}

async fn a_failed_job_waits_for_its_delay(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let state = harness.queue().fail(&lease, &retry_in(Duration::from_mins(5))).await?;
    ensure_eq!(state, JobState::Ready, "the state that fail tells");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Ready, "the state that is stored");
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs before the delay");
    harness.age(Duration::from_mins(6)).await?;
    ensure_eq!(claim_one(&harness).await?.attempt, 2, "the attempt after the delay");
    Ok(())
}

async fn a_failed_job_is_claimed_again_while_its_claim_goes_on(harness: H) -> CaseResult {
    enqueue(&harness, (1..=3).map(job).collect()).await?;
    let mut leases: Vec<_> = claim(&harness, 3).await?.iter().map(|job| job.lease).collect();
    leases.sort_by_key(|lease| lease.job);
    let [first, second, third] = leases[..] else { return Err(Failure::new("three leases")) };
    let failure = JobFailure::new("again", NextStep::RetryIn(Duration::ZERO));
    ensure_eq!(harness.queue().fail(&first, &failure).await?, JobState::Ready, "the state after the failure");
    ensure_eq!(harness.queue().release(&[second], Duration::ZERO).await?, [], "lost leases of the release");
    let again = claim(&harness, 10).await?;
    ensure_eq!(ids(&again), [id(1), id(2)], "the jobs to claim again");
    ensure!(again.iter().all(|job| job.lease.claim != third.claim), "two claims have one id");
    ensure_eq!(harness.queue().complete_all(&[first, second, third]).await?, [id(1), id(2)], "lost leases");
    let leases: Vec<_> = again.iter().map(|job| job.lease).collect();
    ensure_eq!(harness.queue().complete_all(&leases).await?, [], "lost leases of the second claim");
    Ok(())
}

async fn a_job_whose_attempts_are_spent_is_dead(harness: H) -> CaseResult {
    let mut twice = job(1);
    twice.max_attempts = 2;
    enqueue(&harness, vec![twice]).await?;
    let queue = harness.queue();
    let first = claim_one(&harness).await?;
    ensure_eq!(
        queue.fail(&first.lease, &retry_in(Duration::ZERO)).await?,
        JobState::Ready,
        "after one of two"
    );
    let second = claim_one(&harness).await?;
    ensure_eq!(
        queue.fail(&second.lease, &retry_in(Duration::ZERO)).await?,
        JobState::Dead,
        "after two of two"
    );
    let record = record(&harness, id(1)).await?;
    ensure_eq!((record.state, record.attempt), (JobState::Dead, 2), "what is stored");
    ensure!(record.finished_at.is_some(), "a dead job has no instant at which it finished");
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs to claim");
    Ok(())
}

async fn a_buried_job_is_dead_at_once(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let state = harness.queue().fail(&lease, &JobFailure::new("broken payload", NextStep::Bury)).await?;
    ensure_eq!(state, JobState::Dead, "the state that fail tells");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Dead, "the state that is stored");
    Ok(())
}

async fn a_discarded_failure_is_no_dead_letter(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let state = harness.queue().fail(&lease, &JobFailure::new("too late", NextStep::Discard)).await?;
    ensure_eq!(state, JobState::Discarded, "the state that fail tells");
    let record = record(&harness, id(1)).await?;
    ensure_eq!(record.state, JobState::Discarded, "the state that is stored");
    ensure!(record.finished_at.is_some(), "a discarded job has no instant at which it finished");
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs to claim");
    Ok(())
}

async fn the_reason_of_a_failure_is_kept(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let reason = "smtp: 451 „später“ 🪨\n'quoted'; drop table";
    harness.queue().fail(&lease, &JobFailure::new(reason, NextStep::RetryIn(Duration::ZERO))).await?;
    ensure_eq!(record(&harness, id(1)).await?.last_error.as_deref(), Some(reason), "the reason");
    Ok(())
}

async fn a_very_long_reason_is_cut(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    harness.queue().fail(&lease, &JobFailure::new("ü".repeat(10_000), NextStep::Bury)).await?;
    let kept = record(&harness, id(1)).await?.last_error;
    ensure_eq!(kept, Some("ü".repeat(4_000)), "the first 4,000 characters");
    Ok(())
}
