//! Claiming: who gets which job, when.

use std::collections::BTreeSet;
use std::time::Duration;

use dolmen_ports::{ClaimedJob, Due, JobState, KnownKind, PortResult, QueueName, Scope, TenantId, Uuid};
use tokio::task::JoinSet;

use super::JobsSuite;
use super::probe::{H, KIND, claim, claim_one, enqueue, id, ids, job, record, request, stats};
use crate::conformance::failure::{CaseResult, ensure, ensure_eq};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite,
        "JQ-2": concurrent_callers_claim_each_job_exactly_once,
        "JQ-2": a_claimed_job_is_not_claimed_again,
        "JQ-2": a_job_that_appears_behind_claimed_ones_is_claimed,
        "JQ-2": a_claim_takes_at_most_its_limit,
        "JQ-2": a_claim_takes_only_from_its_queues,
        "JQ-3": smaller_priorities_come_first,
        "JQ-3": among_equal_priorities_the_longest_due_comes_first,
        "JQ-3": among_equal_due_times_the_smaller_id_comes_first,
        "JQ-3": a_batch_holds_the_jobs_that_come_first,
        "JQ-3": a_delayed_job_is_not_claimed_before_it_is_due,
        "JQ-3": a_job_due_at_an_instant_is_claimed_after_it,
        "JQ-5": a_claim_counts_an_attempt,
        "JQ-5": a_claim_hands_over_the_job_as_it_was_enqueued,
        "JQ-5": a_claim_tells_how_long_the_job_waited,
        "JQ-5": tokens_ascend_with_every_claim,
        "JQ-12": jobs_of_unknown_kinds_are_left_alone_and_counted,
        "JQ-12": jobs_with_newer_payloads_are_left_alone,
        "JQ-12": a_worker_without_kinds_claims_nothing,
    )
}

async fn concurrent_callers_claim_each_job_exactly_once(harness: H) -> CaseResult {
    enqueue(&harness, (0..200).map(job).collect()).await?;
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let queue = harness.queue();
        callers.spawn(async move {
            let mut mine = Vec::new();
            loop {
                let claimed = queue.claim(&request(7)).await?;
                if claimed.is_empty() {
                    return PortResult::Ok(mine);
                }
                mine.extend(ids(&claimed));
            }
        });
    }
    let mut all = Vec::new();
    while let Some(mine) = callers.join_next().await {
        all.extend(mine??);
    }
    ensure_eq!(all.len(), 200, "claims of 200 jobs");
    ensure_eq!(all.into_iter().collect::<BTreeSet<_>>().len(), 200, "different jobs among the claims");
    Ok(())
}

async fn a_claimed_job_is_not_claimed_again(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1)]).await?;
    claim_one(&harness).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "a second claim");
    ensure_eq!(record(&harness, id(1)).await?.state, JobState::Running, "the state");
    Ok(())
}

/// As after a transaction that was begun first and commits last: who asks for greater ids than the last one never sees it.
async fn a_job_that_appears_behind_claimed_ones_is_claimed(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(5)]).await?;
    ensure_eq!(claim_one(&harness).await?.lease.job, id(5), "the job that is there");
    enqueue(&harness, vec![job(1)]).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(1)], "the job with the smaller id");
    Ok(())
}

async fn a_claim_takes_at_most_its_limit(harness: H) -> CaseResult {
    enqueue(&harness, (0..5).map(job).collect()).await?;
    ensure_eq!(claim(&harness, 0).await?.len(), 0, "jobs of a claim with limit 0");
    ensure_eq!(claim(&harness, 3).await?.len(), 3, "jobs of a claim with limit 3");
    ensure_eq!(claim(&harness, 3).await?.len(), 2, "jobs that were left");
    Ok(())
}

async fn a_claim_takes_only_from_its_queues(harness: H) -> CaseResult {
    let names = ["mail", "reports", "default"];
    let jobs = (0..3).zip(names).map(|(number, name)| {
        let mut job = job(number);
        job.queue = QueueName::new(name);
        job
    });
    enqueue(&harness, jobs.collect()).await?;
    let mut request = request(10);
    request.queues = vec![QueueName::new("reports"), QueueName::new("absent")];
    let claimed = harness.queue().claim(&request).await?;
    ensure_eq!(ids(&claimed), [id(1)], "jobs of the queue reports");
    request.queues = Vec::new();
    request.except = vec![QueueName::new("mail")];
    ensure_eq!(ids(&harness.queue().claim(&request).await?), [id(2)], "jobs of all queues but mail");
    request.except = Vec::new();
    ensure_eq!(ids(&harness.queue().claim(&request).await?), [id(0)], "jobs of all queues");
    Ok(())
}

/// Claims one job at a time until there is none, and returns their numbers in that order.
async fn claim_in_order(harness: &H) -> PortResult<Vec<dolmen_ports::JobId>> {
    let mut order = Vec::new();
    loop {
        let claimed = claim(harness, 1).await?;
        if claimed.is_empty() {
            return Ok(order);
        }
        order.extend(ids(&claimed));
    }
}

async fn smaller_priorities_come_first(harness: H) -> CaseResult {
    let priorities = [0, 100, -100, -1, 1];
    let jobs = (0..5).zip(priorities).map(|(number, priority)| {
        let mut job = job(number);
        job.priority = priority;
        job
    });
    enqueue(&harness, jobs.collect()).await?;
    ensure_eq!(claim_in_order(&harness).await?, [id(2), id(3), id(0), id(4), id(1)], "the order");
    Ok(())
}

async fn among_equal_priorities_the_longest_due_comes_first(harness: H) -> CaseResult {
    for number in [3, 1, 2] {
        enqueue(&harness, vec![job(number)]).await?;
        harness.age(Duration::from_secs(1)).await?;
    }
    ensure_eq!(claim_in_order(&harness).await?, [id(3), id(1), id(2)], "the order");
    Ok(())
}

async fn among_equal_due_times_the_smaller_id_comes_first(harness: H) -> CaseResult {
    let due = Due::At("2020-01-01T00:00:00Z".parse()?);
    let jobs = [2, 3, 1].map(|number| {
        let mut job = job(number);
        job.due = due;
        job
    });
    enqueue(&harness, jobs.to_vec()).await?;
    ensure_eq!(claim_in_order(&harness).await?, [id(1), id(2), id(3)], "the order");
    Ok(())
}

async fn a_batch_holds_the_jobs_that_come_first(harness: H) -> CaseResult {
    let jobs = (0..20_u32).map(|number| {
        let mut job = job(number);
        job.priority = i16::try_from(20 - number).unwrap_or(0);
        job
    });
    enqueue(&harness, jobs.collect()).await?;
    let claimed: BTreeSet<_> = ids(&claim(&harness, 5).await?).into_iter().collect();
    ensure_eq!(claimed, (15..20).map(id).collect(), "the five jobs of the smallest priorities");
    Ok(())
}

async fn a_delayed_job_is_not_claimed_before_it_is_due(harness: H) -> CaseResult {
    let mut late = job(1);
    late.due = Due::In(Duration::from_mins(10));
    enqueue(&harness, vec![late]).await?;
    ensure_eq!(claim(&harness, 10).await?.len(), 0, "jobs before the delay");
    harness.age(Duration::from_mins(9)).await?;
    ensure_eq!(claim(&harness, 10).await?.len(), 0, "jobs after nine of ten minutes");
    harness.age(Duration::from_mins(2)).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(1)], "jobs after the delay");
    Ok(())
}

async fn a_job_due_at_an_instant_is_claimed_after_it(harness: H) -> CaseResult {
    let (mut early, mut never) = (job(1), job(2));
    early.due = Due::At("2001-01-01T00:00:00Z".parse()?);
    never.due = Due::At("9999-12-31T23:59:59Z".parse()?);
    enqueue(&harness, vec![never, early]).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(1)], "jobs that are due");
    Ok(())
}

async fn a_claim_counts_an_attempt(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1)]).await?;
    ensure_eq!(record(&harness, id(1)).await?.attempt, 0, "attempts before the claim");
    let claimed = claim_one(&harness).await?;
    ensure_eq!(claimed.attempt, 1, "the attempt that the claim tells");
    let record = record(&harness, id(1)).await?;
    ensure_eq!((record.attempt, record.state), (1, JobState::Running), "what is stored");
    Ok(())
}

async fn a_claim_hands_over_the_job_as_it_was_enqueued(harness: H) -> CaseResult {
    let tenant = TenantId::new(Uuid::from_u128(7));
    let mut new = job(1);
    new.queue = QueueName::new("mail");
    new.scope = Scope::Tenant(tenant);
    "{\"text\":\"Grüße, 🪨 \\u0001\"}".clone_into(&mut new.payload);
    new.max_attempts = 1_000;
    new.timeout = Duration::from_millis(90_500);
    enqueue(&harness, vec![new.clone()]).await?;
    let claimed = claim_one(&harness).await?;
    ensure_eq!(claimed.kind, KIND, "the kind");
    ensure_eq!(claimed.queue, new.queue, "the queue");
    ensure_eq!(claimed.scope, new.scope, "the scope");
    ensure_eq!(claimed.payload, new.payload, "the payload");
    ensure_eq!(claimed.max_attempts, 1_000, "the attempts it has");
    ensure_eq!(claimed.timeout, new.timeout, "the timeout");
    ensure_eq!(record(&harness, id(1)).await?.tenant, Some(tenant), "the tenant of the record");
    Ok(())
}

async fn a_claim_tells_how_long_the_job_waited(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1)]).await?;
    harness.age(Duration::from_secs(90)).await?;
    let waited = claim_one(&harness).await?.waited;
    let range = Duration::from_secs(90)..Duration::from_secs(150);
    ensure!(range.contains(&waited), "a job that waited 90 seconds tells {waited:?}");
    Ok(())
}

async fn tokens_ascend_with_every_claim(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1)]).await?;
    let mut last = i64::MIN;
    for _ in 0..3 {
        let lease = claim_one(&harness).await?.lease;
        ensure!(lease.token > last, "token {} after token {last}", lease.token);
        last = lease.token;
        ensure_eq!(harness.queue().release(&[lease], Duration::ZERO).await?, [], "lost leases");
    }
    Ok(())
}

async fn jobs_of_unknown_kinds_are_left_alone_and_counted(harness: H) -> CaseResult {
    let mut unknown = job(1);
    unknown.kind = "suite.from_the_future".into();
    enqueue(&harness, vec![unknown, job(2)]).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(2)], "jobs of the known kind");
    ensure_eq!(stats(&harness, "suite.from_the_future").await?.ready, 1, "jobs of the unknown kind");
    ensure_eq!(record(&harness, id(1)).await?.attempt, 0, "attempts of the unknown job");
    Ok(())
}

async fn jobs_with_newer_payloads_are_left_alone(harness: H) -> CaseResult {
    let (mut second, mut third) = (job(2), job(3));
    (second.version, third.version) = (2, 3);
    enqueue(&harness, vec![job(1), second, third]).await?;
    let mut request = request(10);
    let versions = |jobs: &[ClaimedJob]| jobs.iter().map(|job| job.version).collect::<Vec<_>>();
    ensure_eq!(versions(&harness.queue().claim(&request).await?), [1], "payloads for who knows the first");
    ensure_eq!(stats(&harness, KIND).await?.ready, 2, "jobs that wait");
    request.kinds = vec![KnownKind::new("suite.do_other_work", 9), KnownKind::new(KIND, 2)];
    ensure_eq!(versions(&harness.queue().claim(&request).await?), [2], "payloads for who knows the second");
    request.kinds = vec![KnownKind::new(KIND, 12)];
    ensure_eq!(versions(&harness.queue().claim(&request).await?), [3], "payloads for who knows the twelfth");
    ensure_eq!(record(&harness, id(3)).await?.version, 3, "the version of the record");
    Ok(())
}

async fn a_worker_without_kinds_claims_nothing(harness: H) -> CaseResult {
    enqueue(&harness, vec![job(1)]).await?;
    let mut request = request(10);
    request.kinds = Vec::new();
    ensure_eq!(harness.queue().claim(&request).await?.len(), 0, "jobs of a worker that knows no kind");
    Ok(())
}
