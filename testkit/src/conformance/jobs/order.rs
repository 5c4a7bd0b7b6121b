//! Lines of jobs with an ordering key, and queues that are paused.

use std::collections::BTreeSet;
use std::time::Duration;

use dolmen_ports::{Due, JobFailure, NewJob, NextStep, PortResult, QueueName, Scope, TenantId, Uuid};

use super::JobsSuite;
use super::probe::{
    H, claim, claim_one, enqueue, enqueue_and_claim, id, ids, job, let_leases_run_out, record,
};
use crate::conformance::failure::{CaseResult, ensure, ensure_eq};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite,
        "JQ-17": of_a_line_the_first_is_claimed_alone,
        "JQ-17": a_line_goes_in_the_order_of_enqueueing_whatever_the_ids,
        "JQ-17": who_comes_late_does_not_run_beside_another,
        "JQ-17": one_that_waits_holds_up_its_line,
        "JQ-17": a_crash_keeps_the_order_of_a_line,
        "JQ-17": the_dead_and_the_discarded_leave_their_line,
        "JQ-17": lines_belong_to_their_scope_and_span_kinds_and_queues,
        "JQ-18": nothing_is_claimed_from_a_paused_queue,
        "JQ-18": a_pause_goes_with_its_transaction,
    )
}

/// Job `number` in the line `key`.
fn in_line(number: u32, key: &str) -> NewJob {
    let mut job = job(number);
    job.ordering_key = Some(key.to_owned());
    job
}

async fn of_a_line_the_first_is_claimed_alone(harness: H) -> CaseResult {
    enqueue(&harness, vec![in_line(1, "a"), in_line(2, "a"), in_line(3, "b"), job(4)]).await?;
    let claimed = claim(&harness, 10).await?;
    ensure_eq!(ids(&claimed), [id(1), id(3), id(4)], "the first of each line, and what stands in none");
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs while the first of the line runs");
    ensure_eq!(record(&harness, id(2)).await?.ordering_key.as_deref(), Some("a"), "the line of job 2");
    let leases: Vec<_> = claimed.iter().map(|job| job.lease).collect();
    harness.queue().complete_all(leases.get(..1).unwrap_or_default()).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(2)], "jobs when the first of the line is done");
    Ok(())
}

async fn a_line_goes_in_the_order_of_enqueueing_whatever_the_ids(harness: H) -> CaseResult {
    for number in [3, 1, 2] {
        let mut job = in_line(number, "a");
        job.priority = i16::try_from(number)?;
        enqueue(&harness, vec![job]).await?;
        harness.age(Duration::from_secs(1)).await?;
    }
    for number in [3, 1, 2] {
        let job = claim_one(&harness).await?;
        ensure_eq!(job.lease.job, id(number), "whose turn it is");
        harness.queue().complete_all(&[job.lease]).await?;
    }
    Ok(())
}

/// As when its transaction was begun first and committed last.
async fn who_comes_late_does_not_run_beside_another(harness: H) -> CaseResult {
    let running = enqueue_and_claim(&harness, in_line(5, "a")).await?;
    enqueue(&harness, vec![in_line(1, "a")]).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [], "jobs while another of the line runs");
    harness.queue().complete_all(&[running.lease]).await?;
    ensure_eq!(claim_one(&harness).await?.lease.job, id(1), "the one that came late");
    Ok(())
}

async fn one_that_waits_holds_up_its_line(harness: H) -> CaseResult {
    let lease = enqueue_and_claim(&harness, in_line(1, "a")).await?.lease;
    let mut later = in_line(3, "b");
    later.due = Due::In(Duration::from_mins(5));
    enqueue(&harness, vec![in_line(2, "a"), later, in_line(4, "b")]).await?;
    let again = JobFailure::new("not yet", NextStep::RetryIn(Duration::from_mins(5)));
    harness.queue().fail(&lease, &again).await?;
    ensure_eq!(
        ids(&claim(&harness, 10).await?),
        [],
        "jobs behind one that is retried and one that is delayed"
    );
    harness.age(Duration::from_mins(6)).await?;
    let claimed: BTreeSet<_> = ids(&claim(&harness, 10).await?).into_iter().collect();
    ensure_eq!(claimed, BTreeSet::from([id(1), id(3)]), "jobs when their time has come");
    Ok(())
}

async fn a_crash_keeps_the_order_of_a_line(harness: H) -> CaseResult {
    enqueue(&harness, vec![in_line(1, "a"), in_line(2, "a")]).await?;
    claim_one(&harness).await?;
    let_leases_run_out(&harness).await?;
    ensure_eq!(claim_one(&harness).await?.lease.job, id(1), "whose turn it is after a crash");
    Ok(())
}

async fn the_dead_and_the_discarded_leave_their_line(harness: H) -> CaseResult {
    let queue = harness.queue();
    let lease = enqueue_and_claim(&harness, in_line(1, "a")).await?.lease;
    enqueue(&harness, vec![in_line(2, "a"), in_line(3, "a")]).await?;
    queue.fail(&lease, &JobFailure::new("broken", NextStep::Bury)).await?;
    harness.database().system().write(async |tx| queue.discard(tx, id(2)).await).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(3)], "jobs behind a dead and a discarded one");
    Ok(())
}

async fn lines_belong_to_their_scope_and_span_kinds_and_queues(harness: H) -> CaseResult {
    let (mut one, mut other, mut mail) = (in_line(2, "a"), in_line(3, "a"), in_line(4, "a"));
    one.scope = Scope::Tenant(TenantId::new(Uuid::from_u128(1)));
    other.scope = Scope::Tenant(TenantId::new(Uuid::from_u128(2)));
    mail.queue = QueueName::new("mail");
    enqueue(&harness, vec![in_line(1, "a")]).await?;
    harness.age(Duration::from_secs(1)).await?;
    enqueue(&harness, vec![one, other, mail]).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(1), id(2), id(3)], "the first of each scope");
    Ok(())
}

async fn paused(harness: &H) -> PortResult<Vec<QueueName>> {
    let queue = harness.queue();
    harness.database().system().read(async |tx| queue.paused(tx).await).await
}

async fn nothing_is_claimed_from_a_paused_queue(harness: H) -> CaseResult {
    let (queue, mail) = (harness.queue(), QueueName::new("mail"));
    let mut letter = job(1);
    letter.queue = mail.clone();
    let lease = enqueue_and_claim(&harness, letter.clone()).await?.lease;
    for _ in 0..2 {
        harness.database().system().write(async |tx| queue.pause(tx, &mail).await).await?;
        ensure_eq!(paused(&harness).await?, std::slice::from_ref(&mail), "the paused queues");
    }
    letter.id = id(2);
    enqueue(&harness, vec![letter, job(3)]).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(3)], "jobs of queues that are not paused");
    ensure_eq!(queue.complete_all(&[lease]).await?, [], "lost leases of what ran when the pause came");
    harness.database().system().write(async |tx| queue.resume(tx, &mail).await).await?;
    ensure_eq!(paused(&harness).await?, [], "the paused queues afterwards");
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(2)], "jobs of the queue that goes on");
    Ok(())
}

async fn a_pause_goes_with_its_transaction(harness: H) -> CaseResult {
    let (queue, mut tx) = (harness.queue(), harness.database().system().begin().await?);
    queue.pause(&mut tx, &QueueName::DEFAULT).await?;
    tx.rollback().await?;
    enqueue(&harness, vec![job(1)]).await?;
    ensure_eq!(ids(&claim(&harness, 10).await?), [id(1)], "jobs after the rollback of a pause");
    ensure!(paused(&harness).await?.is_empty(), "a pause that was rolled back is there");
    Ok(())
}
