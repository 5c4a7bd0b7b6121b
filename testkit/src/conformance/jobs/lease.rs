//! Leases: extending them, losing them, and what becomes of a dead worker's jobs.

use std::time::Duration;

use dolmen_ports::jobs::MAX_CRASHES;
use dolmen_ports::{
    ClaimRequest, ClaimedJob, ErrorKind, JobFailure, JobState, NextStep, PortResult, QueueName, Rescued,
};

use super::JobsSuite;
use super::probe::{
    H, LEASE, claim, claim_last_chance, claim_one, enqueue, enqueue_and_claim, id, ids, job, known,
    let_leases_run_out, record, request, rescue, worker,
};
use crate::conformance::failure::{CaseResult, Failure, ensure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite,
        "JQ-5": a_new_claim_voids_the_old_lease,
        "JQ-6": a_zombie_cannot_complete,
        "JQ-6": a_zombie_cannot_complete_in_a_batch,
        "JQ-6": a_zombie_cannot_fail,
        "JQ-6": a_zombie_cannot_release,
        "JQ-6": a_zombie_cannot_extend,
        "JQ-6": a_rescued_job_is_lost_before_anyone_claims_it,
        "JQ-6": a_heartbeat_extends_the_held_and_lists_the_lost,
        "JQ-6": a_heartbeat_works_on_a_thread_of_its_own,
        "JQ-8": an_expired_job_is_not_claimed_before_its_rescue,
        "JQ-8": a_rescued_job_is_claimed_again_and_counts_a_crash,
        "JQ-8": a_job_whose_lease_holds_is_not_rescued,
        "JQ-8": an_extended_lease_holds_longer,
        "JQ-8": extending_one_lease_keeps_its_whole_claim,
        "JQ-8": a_lease_that_is_given_up_counts_as_run_out,
        "JQ-8": a_given_up_job_leaves_the_others_of_its_claim,
        "JQ-8": a_job_that_kills_its_worker_dies_after_three_crashes,
        "JQ-8": a_last_chance_is_handed_out_only_to_who_asks_for_it,
        "JQ-8": a_rescue_tells_when_the_next_lease_runs_out,
        "JQ-8": a_crashed_job_without_attempts_left_is_dead,
        "JQ-8": a_rescue_takes_at_most_its_limit,
        "JQ-8": concurrent_rescuers_count_each_crash_once,
    )
}

/// A job that was taken over: what the zombie holds, and what the new worker holds.
async fn takeover(harness: &H) -> Result<(ClaimedJob, ClaimedJob), Failure> {
    let zombie = enqueue_and_claim(harness, job(1)).await?;
    ensure_eq!(let_leases_run_out(harness).await?, Rescued::new(1, 0), "the rescue");
    let request = ClaimRequest::new(worker(2), known(), 1, LEASE);
    let mut taken = harness.queue().claim(&request).await?;
    let successor = taken.pop().ok_or_else(|| Failure::new("the rescued job was not claimed"))?;
    ensure_eq!(successor.lease.job, zombie.lease.job, "the job that was taken over");
    Ok((zombie, successor))
}

/// The successor still holds its job and completes it.
async fn ensure_holds(harness: &H, successor: &ClaimedJob) -> CaseResult {
    let job = successor.lease.job;
    ensure_eq!(record(harness, job).await?.state, JobState::Running, "the state under the new worker");
    ensure_eq!(harness.queue().complete_all(&[successor.lease]).await?, [], "lost leases of the new worker");
    ensure_eq!(record(harness, job).await?.state, JobState::Done, "the state after the new worker");
    Ok(())
}

async fn a_new_claim_voids_the_old_lease(harness: H) -> CaseResult {
    let (zombie, successor) = takeover(&harness).await?;
    ensure!(
        successor.lease.token > zombie.lease.token,
        "the new token {} is not above the old one {}",
        successor.lease.token,
        zombie.lease.token
    );
    ensure_eq!(successor.attempt, 2, "the attempt of the new worker");
    ensure_holds(&harness, &successor).await
}

async fn a_zombie_cannot_complete(harness: H) -> CaseResult {
    let (zombie, successor) = takeover(&harness).await?;
    let queue = harness.queue();
    let result = harness
        .database()
        .system()
        .write(async |tx| {
            queue.enqueue(tx, vec![job(2)]).await?;
            queue.complete(tx, &zombie.lease).await
        })
        .await;
    ensure_kind!(result, ErrorKind::LeaseLost, "the zombie's completion");
    ensure_holds(&harness, &successor).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "effects of the zombie's transaction");
    Ok(())
}

async fn a_zombie_cannot_complete_in_a_batch(harness: H) -> CaseResult {
    let (zombie, successor) = takeover(&harness).await?;
    ensure_eq!(harness.queue().complete_all(&[zombie.lease]).await?, [id(1)], "lost leases");
    ensure_holds(&harness, &successor).await
}

async fn a_zombie_cannot_fail(harness: H) -> CaseResult {
    let (zombie, successor) = takeover(&harness).await?;
    for next in [NextStep::RetryIn(Duration::ZERO), NextStep::Bury, NextStep::Discard] {
        let result = harness.queue().fail(&zombie.lease, &JobFailure::new("zombie", next)).await;
        ensure_kind!(result, ErrorKind::LeaseLost, "the zombie's failure with {next:?}");
    }
    ensure_holds(&harness, &successor).await
}

async fn a_zombie_cannot_release(harness: H) -> CaseResult {
    let (zombie, successor) = takeover(&harness).await?;
    ensure_eq!(harness.queue().release(&[zombie.lease], Duration::ZERO).await?, [id(1)], "lost leases");
    ensure_eq!(record(&harness, id(1)).await?.attempt, 2, "attempts after the zombie's release");
    ensure_holds(&harness, &successor).await
}

async fn a_zombie_cannot_extend(harness: H) -> CaseResult {
    let (zombie, successor) = takeover(&harness).await?;
    let mut heartbeat = harness.queue().open_heartbeat().await?;
    let lost = heartbeat.extend(&[zombie.lease], Duration::from_hours(1)).await?;
    ensure_eq!(lost, [id(1)], "lost leases");
    // Had the zombie's call extended the lease of the new worker, the job would outlive it.
    ensure_eq!(let_leases_run_out(&harness).await?, Rescued::new(1, 0), "the rescue from the new worker");
    ensure_eq!(harness.queue().complete_all(&[successor.lease]).await?, [id(1)], "lost leases afterwards");
    Ok(())
}

async fn a_rescued_job_is_lost_before_anyone_claims_it(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let_leases_run_out(&harness).await?;
    let queue = harness.queue();
    let result = harness.database().system().write(async |tx| queue.complete(tx, &lease).await).await;
    ensure_kind!(result, ErrorKind::LeaseLost, "completing a rescued job");
    ensure_eq!(queue.complete_all(&[lease]).await?, [id(1)], "lost leases of a batch");
    let failed = queue.fail(&lease, &JobFailure::new("late", NextStep::Bury)).await;
    ensure_kind!(failed, ErrorKind::LeaseLost, "failing a rescued job");
    ensure_eq!(queue.release(&[lease], Duration::ZERO).await?, [id(1)], "lost leases of a release");
    let mut heartbeat = queue.open_heartbeat().await?;
    ensure_eq!(heartbeat.extend(&[lease], LEASE).await?, [id(1)], "lost leases of a heartbeat");
    ensure_eq!(claim_one(&harness).await?.attempt, 2, "the attempt of the next worker");
    Ok(())
}

async fn a_heartbeat_extends_the_held_and_lists_the_lost(harness: H) -> CaseResult {
    enqueue(&harness, (1..=3).map(job).collect()).await?;
    let mut leases: Vec<_> = claim(&harness, 3).await?.iter().map(|job| job.lease).collect();
    leases.sort_by_key(|lease| lease.job);
    harness.queue().complete_all(leases.get(1..2).unwrap_or_default()).await?;
    let mut heartbeat = harness.queue().open_heartbeat().await?;
    ensure_eq!(heartbeat.extend(&leases, Duration::from_hours(1)).await?, [id(2)], "lost leases");
    ensure_eq!(heartbeat.extend(&[], LEASE).await?, [], "lost leases of an empty batch");
    ensure_eq!(let_leases_run_out(&harness).await?, Rescued::new(0, 0), "the rescue after the extension");
    Ok(())
}

async fn a_heartbeat_works_on_a_thread_of_its_own(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let queue = harness.queue();
    let beat = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let lost = runtime.block_on(async {
            let mut heartbeat = queue.open_heartbeat().await?;
            let lost = heartbeat.extend(&[lease], Duration::from_hours(1)).await?;
            PortResult::Ok(lost)
        });
        Result::<_, Failure>::Ok(lost?)
    };
    ensure_eq!(tokio::task::spawn_blocking(beat).await??, [], "lost leases");
    ensure_eq!(let_leases_run_out(&harness).await?, Rescued::new(0, 0), "the rescue after the extension");
    Ok(())
}

async fn an_expired_job_is_not_claimed_before_its_rescue(harness: H) -> CaseResult {
    enqueue_and_claim(&harness, job(1)).await?;
    harness.age(Duration::from_hours(1)).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs before the rescue");
    ensure_eq!(rescue(&harness, 10).await?, Rescued::new(1, 0), "the rescue");
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(1)], "jobs after the rescue");
    Ok(())
}

async fn a_rescued_job_is_claimed_again_and_counts_a_crash(harness: H) -> CaseResult {
    enqueue_and_claim(&harness, job(1)).await?;
    let_leases_run_out(&harness).await?;
    let rescued = record(&harness, id(1)).await?;
    ensure_eq!((rescued.state, rescued.crashes), (JobState::Ready, 1), "state and crashes after the rescue");
    ensure!(rescued.last_error.is_some(), "nothing tells why the job is back");
    ensure_eq!(claim_one(&harness).await?.attempt, 2, "the attempt after the rescue");
    Ok(())
}

async fn a_job_whose_lease_holds_is_not_rescued(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    harness.age(LEASE / 2).await?;
    ensure_eq!(rescue(&harness, 10).await?, Rescued::new(0, 0), "the rescue at half of the lease");
    ensure_eq!(harness.queue().complete_all(&[lease]).await?, [], "lost leases");
    Ok(())
}

async fn an_extended_lease_holds_longer(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    let mut heartbeat = harness.queue().open_heartbeat().await?;
    for _ in 0..3 {
        harness.age(LEASE * 2 / 3).await?;
        ensure_eq!(heartbeat.extend(&[lease], LEASE).await?, [], "lost leases");
    }
    ensure_eq!(rescue(&harness, 10).await?, Rescued::new(0, 0), "the rescue after three extensions");
    ensure_eq!(let_leases_run_out(&harness).await?, Rescued::new(1, 0), "the rescue without another one");
    Ok(())
}

async fn extending_one_lease_keeps_its_whole_claim(harness: H) -> CaseResult {
    enqueue(&harness, (1..=2).map(job).collect()).await?;
    let claimed = claim(&harness, 2).await?;
    let leases: Vec<_> = claimed.iter().map(|job| job.lease).collect();
    let mut heartbeat = harness.queue().open_heartbeat().await?;
    harness.age(LEASE * 2 / 3).await?;
    ensure_eq!(heartbeat.extend(leases.get(..1).unwrap_or_default(), LEASE).await?, [], "lost leases");
    harness.age(LEASE * 2 / 3).await?;
    ensure_eq!(rescue(&harness, 10).await?, Rescued::new(0, 0), "the rescue after the extension");
    ensure_eq!(harness.queue().complete_all(&leases).await?, [], "lost leases of the claim");
    Ok(())
}

async fn a_lease_that_is_given_up_counts_as_run_out(harness: H) -> CaseResult {
    let mut heartbeat = harness.queue().open_heartbeat().await?;
    let mut poison = job(1);
    poison.max_attempts = 1_000;
    enqueue(&harness, vec![poison]).await?;
    for crash in 1..=MAX_CRASHES {
        let is_last = crash == MAX_CRASHES;
        let claimed = if is_last { claim_last_chance(&harness).await? } else { claim_one(&harness).await? };
        let lease = claimed.lease;
        heartbeat.give_up(&[lease]).await?;
        // Once more it changes nothing: the lease is void.
        heartbeat.give_up(&[lease]).await?;
        let record = record(&harness, id(1)).await?;
        let state = if crash < MAX_CRASHES { JobState::Ready } else { JobState::Dead };
        ensure_eq!(
            (record.state, record.crashes, record.attempt),
            (state, crash, crash),
            "state, crashes, attempts"
        );
        ensure!(record.last_error.is_some(), "nothing tells why the job is back");
        ensure_eq!(harness.queue().complete_all(&[lease]).await?, [id(1)], "lost leases");
    }
    Ok(())
}

async fn a_given_up_job_leaves_the_others_of_its_claim(harness: H) -> CaseResult {
    enqueue(&harness, (1..=2).map(job).collect()).await?;
    let mut leases: Vec<_> = claim(&harness, 2).await?.iter().map(|job| job.lease).collect();
    leases.sort_by_key(|lease| lease.job);
    let mut heartbeat = harness.queue().open_heartbeat().await?;
    heartbeat.give_up(leases.get(..1).unwrap_or_default()).await?;
    ensure_eq!(heartbeat.extend(&leases, LEASE).await?, [id(1)], "lost leases");
    ensure_eq!(claim_one(&harness).await?.lease.job, id(1), "the job to claim again");
    ensure_eq!(harness.queue().complete_all(&leases).await?, [id(1)], "lost leases of the claim");
    Ok(())
}

async fn a_job_that_kills_its_worker_dies_after_three_crashes(harness: H) -> CaseResult {
    let mut poison = job(1);
    poison.max_attempts = 1_000;
    enqueue(&harness, vec![poison]).await?;
    for crash in 1..MAX_CRASHES {
        claim_one(&harness).await?;
        ensure_eq!(let_leases_run_out(&harness).await?, Rescued::new(1, 0), "the rescue after crash {crash}");
    }
    claim_last_chance(&harness).await?;
    ensure_eq!(let_leases_run_out(&harness).await?, Rescued::new(0, 1), "the rescue after the last crash");
    let record = record(&harness, id(1)).await?;
    ensure_eq!((record.state, record.crashes), (JobState::Dead, MAX_CRASHES), "state and crashes");
    ensure!(record.finished_at.is_some(), "a dead job has no instant at which it finished");
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs to claim");
    Ok(())
}

async fn a_last_chance_is_handed_out_only_to_who_asks_for_it(harness: H) -> CaseResult {
    let mut patient = job(1);
    patient.max_attempts = 1_000;
    enqueue(&harness, vec![patient]).await?;
    ensure!(!harness.queue().rescue(10).await?.last_chances, "a fresh job is told of as a last chance");
    for _ in 1..MAX_CRASHES {
        claim_one(&harness).await?;
        let_leases_run_out(&harness).await?;
    }
    enqueue(&harness, vec![job(2)]).await?;
    ensure!(harness.queue().rescue(10).await?.last_chances, "the rescue tells of no last chance");
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(2)], "jobs of a usual claim");
    let mut elsewhere = request(10);
    elsewhere.last_chances = true;
    elsewhere.except = vec![QueueName::DEFAULT];
    ensure_eq!(ids(&harness.queue().claim(&elsewhere).await?), [], "last chances of other queues");
    let last = claim_last_chance(&harness).await?;
    ensure_eq!((last.lease.job, last.attempt), (id(1), MAX_CRASHES), "the job and its attempt");
    ensure!(!harness.queue().rescue(10).await?.last_chances, "a job that runs is told of as a last chance");
    ensure_eq!(harness.queue().complete_all(&[last.lease]).await?, [], "lost leases");
    Ok(())
}

async fn a_rescue_tells_when_the_next_lease_runs_out(harness: H) -> CaseResult {
    ensure_eq!(harness.queue().rescue(10).await?.next_in, None, "the next end when nobody holds a job");
    enqueue(&harness, vec![job(1)]).await?;
    claim_one(&harness).await?;
    let next = harness.queue().rescue(10).await?.next_in;
    ensure!(next.is_some_and(|next| next <= LEASE && next > LEASE / 2), "a fresh lease ends in {next:?}");
    Ok(())
}

async fn a_crashed_job_without_attempts_left_is_dead(harness: H) -> CaseResult {
    let mut once = job(1);
    once.max_attempts = 1;
    enqueue_and_claim(&harness, once).await?;
    ensure_eq!(let_leases_run_out(&harness).await?, Rescued::new(0, 1), "the rescue");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Dead, "the state");
    Ok(())
}

async fn a_rescue_takes_at_most_its_limit(harness: H) -> CaseResult {
    enqueue(&harness, (0..5).map(job).collect()).await?;
    claim(&harness, 5).await?;
    harness.age(Duration::from_hours(1)).await?;
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(harness.queue().rescue(2).await?.requeued);
    }
    ensure_eq!(sizes, [2, 2, 1, 0], "jobs of each rescue");
    Ok(())
}

async fn concurrent_rescuers_count_each_crash_once(harness: H) -> CaseResult {
    enqueue(&harness, (0..20).map(job).collect()).await?;
    claim(&harness, 20).await?;
    harness.age(Duration::from_hours(1)).await?;
    let mut rescuers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let queue = harness.queue();
        rescuers.spawn(async move { queue.rescue(100).await });
    }
    let mut requeued = 0;
    while let Some(rescued) = rescuers.join_next().await {
        requeued += rescued??.requeued;
    }
    // A rescuer may pass by what another one holds, so the rest is rescued now.
    requeued += harness.queue().rescue(100).await?.requeued;
    ensure_eq!(requeued, 20, "jobs of all rescues");
    for number in 0..20 {
        ensure_eq!(record(&harness, id(number)).await?.crashes, 1, "crashes of job {number}");
    }
    Ok(())
}
