//! What people do with the queue: look, retry, discard, clear away.

use std::time::Duration;

use dolmen_ports::{
    ErrorKind, JobFailure, JobFilter, JobId, JobRecord, JobState, NextStep, PortResult, QueueName, TenantId,
};

use super::JobsSuite;
use super::probe::{
    H, KIND, LEASE, claim, claim_last_chance, claim_one, enqueue, enqueue_and_claim, find, id, ids, job,
    let_leases_run_out, record, stats,
};
use crate::conformance::failure::{CaseResult, ensure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite,
        "JQ-12": stats_count_each_state_per_queue_and_kind,
        "JQ-12": stats_tell_how_long_the_oldest_due_job_waited,
        "JQ-13": a_retried_job_has_all_its_attempts_again,
        "JQ-13": a_retried_job_may_crash_again,
        "JQ-13": only_dead_jobs_can_be_retried,
        "JQ-13": a_retry_respects_the_unique_key_of_another_job,
        "JQ-13": dead_and_ready_jobs_can_be_discarded,
        "JQ-13": a_running_job_that_is_discarded_can_change_nothing_any_more,
        "JQ-13": finished_jobs_cannot_be_discarded,
        "JQ-13": unknown_jobs_are_not_found,
        "JQ-13": a_retry_that_is_rolled_back_leaves_the_job_dead,
        "JQ-15": a_list_shows_the_newest_first_page_by_page,
        "JQ-15": a_list_is_filtered_by_state_and_kind,
        "JQ-15": dead_letters_are_found_by_queue_tenant_and_reason,
        "JQ-16": prune_removes_only_what_finished_long_ago,
        "JQ-16": prune_removes_at_most_its_limit,
    )
}

async fn retry(harness: &H, job: JobId) -> PortResult<()> {
    let queue = harness.queue();
    harness.database().system().write(async |tx| queue.retry(tx, job).await).await
}

async fn discard(harness: &H, job: JobId) -> PortResult<()> {
    let queue = harness.queue();
    harness.database().system().write(async |tx| queue.discard(tx, job).await).await
}

async fn list(harness: &H, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
    let queue = harness.queue();
    harness.database().system().read(async |tx| queue.list(tx, filter).await).await
}

/// Narrows a filter.
type Narrow = fn(&mut JobFilter);

/// Enqueues a job, claims it and ends it in this state; the job must be the only one to claim.
async fn end_in(harness: &H, number: u32, state: JobState) -> CaseResult {
    let lease = enqueue_and_claim(harness, job(number)).await?.lease;
    let queue = harness.queue();
    match state {
        JobState::Done => drop(queue.complete_all(&[lease]).await?),
        JobState::Dead => drop(queue.fail(&lease, &JobFailure::new("broken", NextStep::Bury)).await?),
        _ => drop(queue.fail(&lease, &JobFailure::new("late", NextStep::Discard)).await?),
    }
    ensure_eq!(record(harness, id(number)).await?.state, state, "the state of job {number}");
    Ok(())
}

async fn stats_count_each_state_per_queue_and_kind(harness: H) -> CaseResult {
    end_in(&harness, 1, JobState::Dead).await?;
    end_in(&harness, 2, JobState::Done).await?;
    enqueue_and_claim(&harness, job(3)).await?;
    let (mut later, mut other, mut mine) = (job(5), job(6), job(7));
    later.due = dolmen_ports::Due::In(Duration::from_hours(1));
    other.kind = "suite.do_other_work".into();
    other.queue = QueueName::new("mail");
    mine.scope = dolmen_ports::Scope::Tenant(TenantId::new(dolmen_ports::Uuid::from_u128(5)));
    enqueue(&harness, vec![job(4), later, other, mine]).await?;
    let found = stats(&harness, KIND).await?;
    let counts = (found.ready, found.scheduled, found.running, found.dead);
    ensure_eq!(counts, (2, 1, 1, 1), "ready, scheduled, running and dead jobs");
    let other = stats(&harness, "suite.do_other_work").await?;
    let counts = (other.ready, other.scheduled, other.running, other.dead);
    ensure_eq!(counts, (1, 0, 0, 0), "the same of another kind");
    ensure_eq!(other.queue, QueueName::new("mail"), "the queue of another kind");
    Ok(())
}

async fn stats_tell_how_long_the_oldest_due_job_waited(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1)]).await?;
    harness.age(Duration::from_mins(10)).await?;
    enqueue(&harness, vec![job(2)]).await?;
    let waited = stats(&harness, KIND).await?.oldest_ready_ms;
    ensure!((600_000..660_000).contains(&waited), "a job that waited 10 minutes tells {waited} ms");
    claim(&harness, 10).await?;
    ensure_eq!(stats(&harness, KIND).await?.oldest_ready_ms, 0, "the age when none waits");
    Ok(())
}

async fn a_retried_job_has_all_its_attempts_again(harness: H) -> CaseResult {
    let mut once = job(1);
    once.max_attempts = 1;
    let lease = enqueue_and_claim(&harness, once).await?.lease;
    let spent = JobFailure::new("no answer", NextStep::RetryIn(Duration::ZERO));
    ensure_eq!(
        harness.queue().fail(&lease, &spent).await?,
        JobState::Dead,
        "the state after its one attempt"
    );
    retry(&harness, id(1)).await?;
    let retried = record(&harness, id(1)).await?;
    ensure_eq!((retried.state, retried.attempt), (JobState::Ready, 0), "state and attempts");
    ensure_eq!(retried.finished_at, None, "when it finished");
    let claimed = claim_one(&harness).await?;
    ensure_eq!(claimed.attempt, 1, "the attempt after the retry");
    ensure!(claimed.lease.token > lease.token, "the token after the retry is not above the one before");
    Ok(())
}

async fn a_retried_job_may_crash_again(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1)]).await?;
    for _ in 1..dolmen_ports::jobs::MAX_CRASHES {
        claim_one(&harness).await?;
        let_leases_run_out(&harness).await?;
    }
    claim_last_chance(&harness).await?;
    let_leases_run_out(&harness).await?;
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Dead, "the state after its crashes");
    retry(&harness, id(1)).await?;
    claim_one(&harness).await?;
    ensure_eq!(let_leases_run_out(&harness).await?.requeued, 1, "jobs rescued after one more crash");
    Ok(())
}

async fn only_dead_jobs_can_be_retried(harness: H) -> CaseResult {
    end_in(&harness, 1, JobState::Done).await?;
    end_in(&harness, 2, JobState::Discarded).await?;
    enqueue_and_claim(&harness, job(3)).await?;
    enqueue(&harness, vec![job(4)]).await?;
    for (number, state) in
        [(1, JobState::Done), (2, JobState::Discarded), (3, JobState::Running), (4, JobState::Ready)]
    {
        ensure_kind!(retry(&harness, id(number)).await, ErrorKind::Conflict, "retrying a {state:?} job");
        ensure_eq!(record(&harness, id(number)).await?.state, state, "the state of job {number}");
    }
    Ok(())
}

async fn a_retry_respects_the_unique_key_of_another_job(harness: H) -> CaseResult {
    let (mut first, mut second) = (job(1), job(2));
    first.unique = Some("k".into());
    second.unique = Some("k".into());
    let lease = enqueue_and_claim(&harness, first).await?.lease;
    harness.queue().fail(&lease, &JobFailure::new("broken", NextStep::Bury)).await?;
    enqueue(&harness, vec![second]).await?;
    ensure_kind!(retry(&harness, id(1)).await, ErrorKind::AlreadyExists, "retrying beside a ready job");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Dead, "the state of the dead job");
    let lease = claim_one(&harness).await?.lease;
    harness.queue().complete_all(&[lease]).await?;
    retry(&harness, id(1)).await?;
    ensure_eq!(claim_one(&harness).await?.lease.job, id(1), "the job that was retried");
    Ok(())
}

async fn dead_and_ready_jobs_can_be_discarded(harness: H) -> CaseResult {
    end_in(&harness, 1, JobState::Dead).await?;
    enqueue(&harness, vec![job(2)]).await?;
    for number in [1, 2] {
        discard(&harness, id(number)).await?;
        let record = record(&harness, id(number)).await?;
        ensure_eq!(record.state, JobState::Discarded, "the state of job {number}");
        ensure!(record.finished_at.is_some(), "job {number} has no instant at which it finished");
    }
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs to claim");
    Ok(())
}

async fn finished_jobs_cannot_be_discarded(harness: H) -> CaseResult {
    end_in(&harness, 1, JobState::Done).await?;
    end_in(&harness, 2, JobState::Discarded).await?;
    for number in [1, 2] {
        ensure_kind!(discard(&harness, id(number)).await, ErrorKind::Conflict, "discarding job {number}");
    }
    Ok(())
}

async fn a_running_job_that_is_discarded_can_change_nothing_any_more(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, job(1)).await?.lease;
    discard(&harness, id(1)).await?;
    let queue = harness.queue();
    let result = harness
        .database()
        .system()
        .write(async |tx| {
            queue.enqueue(tx, vec![job(2)]).await?;
            queue.complete(tx, &lease).await
        })
        .await;
    ensure_kind!(result, ErrorKind::LeaseLost, "its completion");
    let failed = queue.fail(&lease, &JobFailure::new("late", NextStep::RetryIn(Duration::ZERO))).await;
    ensure_kind!(failed, ErrorKind::LeaseLost, "its failure");
    let mut heartbeat = queue.open_heartbeat().await?;
    ensure_eq!(heartbeat.extend(&[lease], LEASE).await?, [id(1)], "lost leases of the next heartbeat");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Discarded, "the state");
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs to claim");
    Ok(())
}

async fn unknown_jobs_are_not_found(harness: H) -> CaseResult {
    ensure_kind!(retry(&harness, id(1)).await, ErrorKind::NotFound, "retrying an unknown job");
    ensure_kind!(discard(&harness, id(1)).await, ErrorKind::NotFound, "discarding an unknown job");
    ensure_eq!(find(&harness, id(1)).await?, None, "finding an unknown job");
    Ok(())
}

async fn a_retry_that_is_rolled_back_leaves_the_job_dead(harness: H) -> CaseResult {
    end_in(&harness, 1, JobState::Dead).await?;
    let mut tx = harness.database().system().begin().await?;
    harness.queue().retry(&mut tx, id(1)).await?;
    tx.rollback().await?;
    let mut tx = harness.database().system().begin().await?;
    harness.queue().discard(&mut tx, id(1)).await?;
    drop(tx);
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Dead, "the state");
    Ok(())
}

async fn a_list_shows_the_newest_first_page_by_page(harness: H) -> CaseResult {
    for number in 0..60 {
        enqueue(&harness, vec![job(number)]).await?;
    }
    let mut filter = JobFilter::all();
    let first: Vec<JobId> = list(&harness, &filter).await?.iter().map(|record| record.id).collect();
    ensure_eq!(first, (10..60).rev().map(id).collect::<Vec<_>>(), "the first 50");
    filter.limit = 7;
    let mut all = Vec::new();
    loop {
        let page = list(&harness, &filter).await?;
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        all.extend(page.iter().map(|record| record.id));
        ensure!(all.len() <= 60, "more jobs in pages than there are");
    }
    ensure_eq!(all, (0..60).rev().map(id).collect::<Vec<_>>(), "all pages of 7");
    Ok(())
}

async fn a_list_is_filtered_by_state_and_kind(harness: H) -> CaseResult {
    end_in(&harness, 1, JobState::Dead).await?;
    end_in(&harness, 2, JobState::Done).await?;
    let mut other = job(4);
    other.kind = "suite.do_other_work".into();
    enqueue(&harness, vec![job(3), other]).await?;
    let mut both = JobFilter::state(JobState::Dead);
    both.states.push(JobState::Ready);
    for (filter, expected) in [
        (JobFilter::state(JobState::Dead), vec![id(1)]),
        (JobFilter::state(JobState::Running), vec![]),
        (JobFilter::state(JobState::Ready), vec![id(4), id(3)]),
        (JobFilter::state(JobState::Ready).with_kind(KIND), vec![id(3)]),
        (JobFilter::all().with_kind("suite.do_other_work"), vec![id(4)]),
        (both, vec![id(4), id(3), id(1)]),
    ] {
        let found: Vec<JobId> = list(&harness, &filter).await?.iter().map(|record| record.id).collect();
        ensure_eq!(found, expected, "jobs of {filter:?}");
    }
    Ok(())
}

async fn dead_letters_are_found_by_queue_tenant_and_reason(harness: H) -> CaseResult {
    let tenant = TenantId::new(dolmen_ports::Uuid::from_u128(5));
    let reasons = ["100% broken_", "100 broken", "Broken"];
    for (number, reason) in (1..).zip(reasons) {
        let mut job = job(number);
        if number == 2 {
            job.queue = QueueName::new("mail");
            job.scope = dolmen_ports::Scope::Tenant(tenant);
        }
        let lease = enqueue_and_claim(&harness, job).await?.lease;
        harness.queue().fail(&lease, &JobFailure::new(reason, NextStep::Bury)).await?;
    }
    for (of, change, expected) in [
        ("the reason 100%", (|filter| filter.reason = Some("100%".to_owned())) as Narrow, vec![id(1)]),
        ("the reason n_", |filter| filter.reason = Some("n_".to_owned()), vec![id(1)]),
        ("the reason broken", |filter| filter.reason = Some("broken".to_owned()), vec![id(2), id(1)]),
        ("the queue mail", |filter| filter.queue = Some(QueueName::new("mail")), vec![id(2)]),
        (
            "tenant 5",
            |filter| filter.tenant = Some(TenantId::new(dolmen_ports::Uuid::from_u128(5))),
            vec![id(2)],
        ),
    ] {
        for mut filter in [JobFilter::state(JobState::Dead), JobFilter::all()] {
            change(&mut filter);
            let found: Vec<JobId> = list(&harness, &filter).await?.iter().map(|record| record.id).collect();
            ensure_eq!(found, expected, "jobs of {of}");
        }
    }
    Ok(())
}

async fn prune_removes_only_what_finished_long_ago(harness: H) -> CaseResult {
    end_in(&harness, 1, JobState::Done).await?;
    end_in(&harness, 2, JobState::Discarded).await?;
    end_in(&harness, 3, JobState::Dead).await?;
    enqueue_and_claim(&harness, job(4)).await?;
    enqueue(&harness, vec![job(5)]).await?;
    harness.age(Duration::from_hours(2)).await?;
    let lease = claim_one(&harness).await?.lease;
    harness.queue().complete_all(&[lease]).await?;
    ensure_eq!(harness.queue().prune(Duration::from_hours(1), 100).await?, 2, "jobs that were removed");
    for (number, stays) in [(1, false), (2, false), (3, true), (4, true), (5, true)] {
        ensure_eq!(find(&harness, id(number)).await?.is_some(), stays, "whether job {number} is there");
    }
    Ok(())
}

async fn prune_removes_at_most_its_limit(harness: H) -> CaseResult {
    enqueue(&harness, (0..5).map(job).collect()).await?;
    let leases: Vec<_> = claim(&harness, 5).await?.iter().map(|job| job.lease).collect();
    harness.queue().complete_all(&leases).await?;
    harness.age(Duration::from_secs(1)).await?;
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(harness.queue().prune(Duration::ZERO, 2).await?);
    }
    ensure_eq!(sizes, [2, 2, 1, 0], "jobs of each call");
    Ok(())
}
