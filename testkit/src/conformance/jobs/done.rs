//! Jobs that are done, alone or with others by one call: what is kept of them, and for how long.

use std::time::Duration;

use dolmen_ports::{
    Due, Enqueued, ErrorKind, JobFailure, JobFilter, JobId, JobState, Lease, NewJob, NextStep, PortResult,
    QueueName, Scope, TenantId, Unique, Uuid,
};

use super::JobsSuite;
use super::probe::{H, KIND, claim, enqueue, find, id, job, record};
use crate::conformance::failure::{CaseResult, Failure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite,
        "JQ-15": done_jobs_are_listed_newest_first_whoever_they_were_completed_with,
        "JQ-15": a_done_job_is_found_among_those_that_it_was_completed_with,
        "JQ-15": a_done_job_is_shown_as_it_was,
        "JQ-11": a_job_that_keeps_its_key_when_done_is_completed_with_others,
        "JQ-6": a_lost_lease_is_not_taken_for_one_with_the_token_of_the_others,
        "JQ-16": jobs_completed_together_are_pruned_by_their_number,
    )
}

/// Completes the claimed jobs with these numbers in one call.
async fn complete(harness: &H, leases: &[Lease], numbers: &[u32]) -> CaseResult {
    let leases = numbers.iter().map(|number| lease_of(leases, *number)).collect::<Result<Vec<_>, _>>()?;
    ensure_eq!(harness.queue().complete_all(&leases).await?, [], "lost jobs among {numbers:?}");
    Ok(())
}

fn lease_of(leases: &[Lease], number: u32) -> Result<Lease, Failure> {
    let found = leases.iter().find(|lease| lease.job == id(number));
    found.copied().ok_or_else(|| Failure::new(format!("job {number} should be claimed")))
}

async fn leases(harness: &H, limit: u32) -> PortResult<Vec<Lease>> {
    Ok(claim(harness, limit).await?.iter().map(|job| job.lease).collect())
}

async fn listed(harness: &H, filter: &JobFilter) -> PortResult<Vec<JobId>> {
    let queue = harness.queue();
    let records = harness.database().system().read(async |tx| queue.list(tx, filter).await).await?;
    Ok(records.iter().map(|record| record.id).collect())
}

async fn done_jobs_are_listed_newest_first_whoever_they_were_completed_with(harness: H) -> CaseResult {
    enqueue(&harness, (0..12).map(job).collect()).await?;
    let leases = leases(&harness, 12).await?;
    for together in [&[0, 5, 9][..], &[1, 2, 11], &[4, 6, 7, 8]] {
        complete(&harness, &leases, together).await?;
    }
    let alone = lease_of(&leases, 3)?;
    let queue = harness.queue();
    harness.database().system().write(async |tx| queue.complete(tx, &alone).await).await?;
    let done = [11, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0].map(id);
    for limit in 1..12 {
        for (mut filter, expected) in [
            (JobFilter::state(JobState::Done), done.to_vec()),
            (JobFilter::all(), (0..12).rev().map(id).collect()),
        ] {
            filter.limit = limit;
            let mut all = Vec::new();
            while all.len() < expected.len() {
                let page = listed(&harness, &filter).await?;
                filter.before = page.last().copied();
                if page.is_empty() {
                    break;
                }
                all.extend(page);
            }
            ensure_eq!(all, expected, "pages of {limit} in {:?}", filter.states);
        }
    }
    Ok(())
}

type Narrow = fn(&mut JobFilter);

async fn a_done_job_is_found_among_those_that_it_was_completed_with(harness: H) -> CaseResult {
    let tenant = TenantId::new(Uuid::from_u128(5));
    let (mut theirs, mut mail, mut queued) = (job(2), job(3), job(4));
    (theirs.scope, theirs.ordering_key) = (Scope::Tenant(tenant), Some("line".to_owned()));
    (mail.queue, queued.ordering_key) = (QueueName::new("mail"), Some("line".to_owned()));
    enqueue(&harness, vec![job(1), theirs, mail, queued]).await?;
    let first = leases(&harness, 4).await?;
    let again = JobFailure::new("100 % of no answer", NextStep::RetryIn(Duration::ZERO));
    harness.queue().fail(&lease_of(&first, 1)?, &again).await?;
    let all: Vec<Lease> =
        first.iter().filter(|lease| lease.job != id(1)).copied().chain(leases(&harness, 1).await?).collect();
    complete(&harness, &all, &[1, 2, 3, 4]).await?;
    let cases: [(Narrow, &[u32]); 8] = [
        (|filter| filter.kind = Some(KIND.to_owned()), &[4, 3, 2, 1]),
        (|filter| filter.kind = Some("suite.do_other_work".to_owned()), &[]),
        (|filter| filter.queue = Some(QueueName::new("mail")), &[3]),
        (|filter| filter.tenant = Some(TenantId::new(Uuid::from_u128(5))), &[2]),
        (|filter| filter.reason = Some("0 % of no".to_owned()), &[1]),
        (
            |filter| {
                filter.line = Some((Scope::Tenant(TenantId::new(Uuid::from_u128(5))), "line".to_owned()));
            },
            &[2],
        ),
        (|filter| filter.line = Some((Scope::System, "line".to_owned())), &[4]),
        (|filter| filter.before = Some(id(3)), &[2, 1]),
    ];
    for (number, (narrow, expected)) in cases.into_iter().enumerate() {
        let mut filter = JobFilter::state(JobState::Done);
        narrow(&mut filter);
        let expected: Vec<JobId> = expected.iter().copied().map(id).collect();
        ensure_eq!(listed(&harness, &filter).await?, expected, "done jobs of filter {number}");
    }
    Ok(())
}

async fn a_done_job_is_shown_as_it_was(harness: H) -> CaseResult {
    let mut one = job(1);
    (one.queue, one.priority, one.version) = (QueueName::new("mail"), -3, 1);
    (one.unique, one.ordering_key) = (Some(Unique::new("key")), Some("line".to_owned()));
    (one.max_attempts, one.scope) = (7, Scope::Tenant(TenantId::new(Uuid::from_u128(5))));
    let mut long = job(2);
    long.payload = format!("\"{}\"", "long ".repeat(4_000));
    enqueue(&harness, vec![one, long]).await?;
    let mut before = Vec::new();
    for number in 1..=2 {
        before.push(record(&harness, id(number)).await?);
    }
    let leases = leases(&harness, 2).await?;
    complete(&harness, &leases, &[1, 2]).await?;
    for mut expected in before {
        let shown = record(&harness, expected.id).await?;
        (expected.state, expected.attempt, expected.finished_at) = (JobState::Done, 1, shown.finished_at);
        ensure_eq!(shown.finished_at.is_some(), true, "whether it is known when it finished");
        ensure_eq!(shown, expected, "the job after it was done");
    }
    Ok(())
}

async fn a_job_that_keeps_its_key_when_done_is_completed_with_others(harness: H) -> CaseResult {
    let keyed = |number, unique: Unique| -> NewJob {
        let mut keyed = job(number);
        keyed.unique = Some(unique);
        keyed
    };
    enqueue(&harness, vec![keyed(1, Unique::new("kept").even_done()), keyed(2, Unique::new("free")), job(3)])
        .await?;
    let leases = leases(&harness, 3).await?;
    complete(&harness, &leases, &[1, 2, 3]).await?;
    let queue = harness.queue();
    for number in 1..=3 {
        ensure_eq!(record(&harness, id(number)).await?.state, JobState::Done, "the state of job {number}");
        let retried = harness.database().system().write(async |tx| queue.retry(tx, id(number)).await).await;
        ensure_kind!(retried, ErrorKind::Conflict, "a retry of job {number}");
    }
    ensure_eq!(queue.complete_all(&leases).await?.len(), 3, "jobs that cannot be completed again");
    let mut later = keyed(5, Unique::new("free"));
    later.due = Due::In(Duration::from_hours(1));
    let again = enqueue(&harness, vec![keyed(4, Unique::new("kept").even_done()), later]).await?;
    ensure_eq!(again, [Enqueued::Duplicate(id(1)), Enqueued::New(id(5))], "jobs with the keys of done ones");
    harness.age(Duration::from_secs(1)).await?;
    ensure_eq!(queue.prune(Duration::ZERO, 10).await?, 3, "jobs that were removed");
    Ok(())
}

async fn jobs_completed_together_are_pruned_by_their_number(harness: H) -> CaseResult {
    enqueue(&harness, (0..9).map(job).collect()).await?;
    let leases = leases(&harness, 9).await?;
    for together in [&[0, 1, 2, 3][..], &[4], &[5, 6, 7, 8]] {
        complete(&harness, &leases, together).await?;
        harness.age(Duration::from_secs(1)).await?;
    }
    let mut left = Vec::new();
    for limit in [3, 0, 3, 1] {
        ensure_eq!(
            harness.queue().prune(Duration::ZERO, limit).await?,
            u64::from(limit),
            "jobs that were removed"
        );
        left.push(listed(&harness, &JobFilter::all()).await?.len());
    }
    ensure_eq!(left, [6, 6, 3, 2], "jobs that are left after each call");
    ensure_eq!(find(&harness, id(4)).await?, None, "a job of an earlier call than those that are left");
    ensure_eq!(harness.queue().prune(Duration::ZERO, 10).await?, 2, "the last ones");
    Ok(())
}

async fn a_lost_lease_is_not_taken_for_one_with_the_token_of_the_others(harness: H) -> CaseResult {
    enqueue(&harness, (1..=3).map(job).collect()).await?;
    let mut leases = leases(&harness, 3).await?;
    let lost = lease_of(&leases, 1)?;
    harness.queue().release(&leases, Duration::ZERO).await?;
    leases = self::leases(&harness, 3).await?;
    let mixed = [lost, lease_of(&leases, 2)?, lease_of(&leases, 3)?];
    ensure_eq!(harness.queue().complete_all(&mixed).await?, [id(1)], "lost jobs");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Running, "the state of job 1");
    // The same job twice, by a lease that holds and one that does not.
    enqueue(&harness, vec![job(4)]).await?;
    let both = [lost, lease_of(&leases, 1)?, lease_of(&self::leases(&harness, 1).await?, 4)?];
    harness.queue().complete_all(&both).await?;
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Done, "the state of job 1 in the end");
    Ok(())
}
