//! Ending attempts and jobs: each statement compares token and state, so a void lease changes nothing.

use std::collections::HashSet;
use std::time::Duration;

use dolmen_ports::jobs::MAX_CRASHES;
use dolmen_ports::{
    ErrorKind, JobFailure, JobId, JobState, Lease, NextStep, PortError, PortResult, QueueName, Rescued,
    TenantId,
};

use super::{enqueue, micros};
use crate::database::SqlTx;
use crate::row;
use crate::statement::{Row, Statement, Value, framework_sql};

/// How many characters of a failure's reason are kept.
const MAX_REASON: usize = 4_000;

/// The rows of `{rows}`. They are joined, not looked up with `in`: PostgreSQL would compare each running job with each row.
fn pairs(leases: &[Lease]) -> impl Iterator<Item = [Value<'static>; 2]> {
    leases.iter().map(|lease| row![lease.job, lease.token])
}

pub(super) fn lease_lost(operation: &'static str, lease: &Lease) -> PortError {
    PortError::new(ErrorKind::LeaseLost, "jobs", operation).with_detail(format!("job {}", lease.job))
}

pub(super) async fn complete(tx: &mut SqlTx, lease: &Lease) -> PortResult<()> {
    let matched = framework_sql!(
        "update dolmen_job set state = 'done', finished_at = {now}, lease_until = null, worker = null
         where id = ? and token = ? and state = 'running'",
        lease.job,
        lease.token
    )
    .execute_in(tx)
    .await?;
    if matched == 1 { Ok(()) } else { Err(lease_lost("complete", lease)) }
}

pub(super) fn complete_all(leases: &[Lease]) -> Statement<'static> {
    framework_sql!(
        "update dolmen_job set state = 'done', finished_at = {now}, lease_until = null, worker = null
         from (values {rows}) as lease
         where id = lease.column1 and token = lease.column2 and state = 'running'
         returning id"
    )
    .bind_rows(pairs(leases))
}

/// The jobs of the leases that are not among the changed rows.
pub(super) fn lost(leases: &[Lease], changed: &[Row]) -> PortResult<Vec<JobId>> {
    let changed: HashSet<JobId> = changed.iter().map(|row| row.get("id")).collect::<PortResult<_>>()?;
    Ok(leases.iter().map(|lease| lease.job).filter(|job| !changed.contains(job)).collect())
}

/// The queues of the changed rows.
pub(super) fn queues(rows: &[Row]) -> PortResult<Vec<QueueName>> {
    rows.iter().map(|row| QueueName::parse(&row.get::<String>("queue")?)).collect()
}

/// What is kept of a failure's reason: PostgreSQL has no U+0000 in text.
pub(super) fn reason(failure: &JobFailure) -> String {
    failure
        .reason
        .chars()
        .take(MAX_REASON)
        .map(|c| if c == '\0' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

pub(super) fn fail<'a>(lease: &Lease, failure: &JobFailure, reason: &'a str) -> Statement<'a> {
    let end = match failure.next {
        NextStep::RetryIn(delay) => {
            return framework_sql!(
                "update dolmen_job
                 set state = case when attempt < max_attempts then 'ready' else 'dead' end,
                     due_at = case when attempt < max_attempts then {now_plus ?} else due_at end,
                     finished_at = case when attempt < max_attempts then null else {now} end,
                     last_error = ?, lease_until = null, worker = null
                 where id = ? and token = ? and state = 'running'
                 returning state",
                micros(delay),
                reason,
                lease.job,
                lease.token
            );
        }
        NextStep::Bury => JobState::Dead,
        NextStep::Discard => JobState::Discarded,
    };
    framework_sql!(
        "update dolmen_job set state = ?, finished_at = {now}, last_error = ?, lease_until = null, worker = null
         where id = ? and token = ? and state = 'running'
         returning state",
        end.name(),
        reason,
        lease.job,
        lease.token
    )
}

pub(super) fn state_after(lease: &Lease, changed: &[Row]) -> PortResult<JobState> {
    match changed.first() {
        Some(row) => state(row),
        None => Err(lease_lost("fail", lease)),
    }
}

/// The state of a row.
pub(super) fn state(row: &Row) -> PortResult<JobState> {
    let name: String = row.get("state")?;
    JobState::parse(&name).ok_or_else(|| {
        PortError::new(ErrorKind::Internal, "jobs", "read a job")
            .with_detail(format!("unknown state {name:?}"))
    })
}

pub(super) fn release(leases: &[Lease], delay: Duration) -> Statement<'static> {
    framework_sql!(
        "update dolmen_job
         set state = 'ready', attempt = attempt - 1, due_at = {now_plus ?}, lease_until = null, worker = null
         from (values {rows}) as lease
         where id = lease.column1 and token = lease.column2 and state = 'running'
         returning id, queue",
        micros(delay)
    )
    .bind_rows(pairs(leases))
}

pub(super) fn extend(leases: &[Lease], lease_for: Duration) -> Statement<'static> {
    framework_sql!(
        "update dolmen_job set lease_until = {now_plus ?}
         from (values {rows}) as lease
         where id = lease.column1 and token = lease.column2 and state = 'running'
         returning id",
        micros(lease_for)
    )
    .bind_rows(pairs(leases))
}

pub(super) fn expired() -> Statement<'static> {
    framework_sql!("select 1 from dolmen_job where state = 'running' and lease_until < {now} limit 1")
}

/// The rows are chosen in a `with`, as in `prune`: a subquery PostgreSQL may run more than once, so its limit would not hold.
pub(super) fn rescue(limit: u32) -> Statement<'static> {
    framework_sql!(
        "with dolmen_expired as (
             select id from dolmen_job where state = 'running' and lease_until < {now}
             order by lease_until limit ? {skip_locked})
         update dolmen_job
         set state = case when crashes + 1 >= ? or attempt >= max_attempts then 'dead' else 'ready' end,
             due_at = case when crashes + 1 >= ? or attempt >= max_attempts then due_at else {now} end,
             finished_at = case when crashes + 1 >= ? or attempt >= max_attempts then {now} else null end,
             crashes = crashes + 1, lease_until = null, worker = null,
             last_error = 'worker-crash: its lease ran out, so its process is taken for dead'
         where state = 'running' and id in (select id from dolmen_expired)
         returning state, queue",
        limit,
        MAX_CRASHES,
        MAX_CRASHES,
        MAX_CRASHES
    )
}

/// What became of the jobs, and the queues that have work again.
pub(super) fn rescued(rows: &[Row]) -> PortResult<(Rescued, Vec<QueueName>)> {
    let (mut requeued, mut buried, mut woken) = (0, 0, Vec::new());
    for row in rows {
        if state(row)? == JobState::Dead {
            buried += 1;
        } else {
            requeued += 1;
            woken.push(QueueName::parse(&row.get::<String>("queue")?)?);
        }
    }
    Ok((Rescued::new(requeued, buried), woken))
}

pub(super) fn prune(kept_for: Duration, limit: u32) -> Statement<'static> {
    framework_sql!(
        "with dolmen_finished as (
             select id from dolmen_job where state in ('done', 'discarded') and finished_at < {now_plus ?}
             order by finished_at limit ? {skip_locked})
         delete from dolmen_job where id in (select id from dolmen_finished)",
        micros(kept_for).saturating_neg(),
        limit
    )
}

/// Makes a dead job ready; returns its queue.
pub(super) async fn retry(tx: &mut SqlTx, job: JobId) -> PortResult<QueueName> {
    let row = held(tx, job, "retry", &[JobState::Dead]).await?;
    if let Some(key) = row.get::<Option<String>>("unique_key")? {
        let (kind, tenant): (String, Option<TenantId>) = (row.get("kind")?, row.get("tenant")?);
        if let Some(other) = enqueue::active(tx, &kind, tenant, &key).await? {
            return Err(PortError::new(ErrorKind::AlreadyExists, "jobs", "retry").with_detail(format!(
                "job {other} with the same unique key is ready or running; discard this one"
            )));
        }
    }
    framework_sql!(
        "update dolmen_job set state = 'ready', attempt = 0, crashes = 0, due_at = {now}, finished_at = null where id = ?",
        job
    )
    .execute_in(tx)
    .await?;
    QueueName::parse(&row.get::<String>("queue")?)
}

pub(super) async fn discard(tx: &mut SqlTx, job: JobId) -> PortResult<()> {
    held(tx, job, "discard", &[JobState::Dead, JobState::Ready]).await?;
    framework_sql!("update dolmen_job set state = 'discarded', finished_at = {now} where id = ?", job)
        .execute_in(tx)
        .await
        .map(drop)
}

/// Locks a job that is in one of the states.
async fn held(tx: &mut SqlTx, job: JobId, operation: &'static str, states: &[JobState]) -> PortResult<Row> {
    let rows = framework_sql!(
        "select state, kind, queue, tenant, unique_key from dolmen_job where id = ? {for_update}",
        job
    )
    .fetch_in(tx)
    .await?;
    let Some(row) = rows.into_iter().next() else {
        return Err(
            PortError::new(ErrorKind::NotFound, "jobs", operation).with_detail(format!("no job {job}"))
        );
    };
    let state = state(&row)?;
    if states.contains(&state) {
        return Ok(row);
    }
    Err(PortError::new(ErrorKind::Conflict, "jobs", operation)
        .with_detail(format!("job {job} is {}", state.name())))
}
