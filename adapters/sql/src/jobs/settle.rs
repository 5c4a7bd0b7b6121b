//! Ending attempts and jobs: each statement compares token and state, so a void lease changes nothing.

use std::collections::HashSet;
use std::time::Duration;

use dolmen_ports::{
    Dialect, ErrorKind, JobFailure, JobId, JobState, Lease, PortError, PortResult, QueueName, TenantId,
};

use super::enqueue::Key;
use super::{done, enqueue, micros};
use crate::database::SqlTx;
use crate::statement::{Row, Statement, framework_sql};

/// How the table calls a job that is ready or running.
pub(super) const ACTIVE: &str = "active";

/// How many characters of a failure's reason are kept.
const MAX_REASON: usize = 4_000;

pub(super) fn lease_lost(operation: &'static str, lease: &Lease) -> PortError {
    PortError::new(ErrorKind::LeaseLost, "jobs", operation).with_detail(format!("job {}", lease.job))
}

pub(super) async fn complete(tx: &mut SqlTx, lease: &Lease) -> PortResult<()> {
    let matched = framework_sql!(
        "update dolmen_job set state = 'done', attempt = attempt + 1, finished_at = {now}
         where id = ? and token = ? and state = 'active'",
        lease.job,
        lease.token
    )
    .execute_in(tx)
    .await?;
    if matched == 1 { Ok(()) } else { Err(lease_lost("complete", lease)) }
}

/// The jobs of the leases that are not among those that held.
pub(super) fn lost<'j>(leases: &[Lease], held: impl IntoIterator<Item = &'j JobId>) -> Vec<JobId> {
    let held: HashSet<&JobId> = held.into_iter().collect();
    leases.iter().map(|lease| lease.job).filter(|job| !held.contains(job)).collect()
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

/// The state of a row.
pub(super) fn state(row: &Row) -> PortResult<JobState> {
    let name: String = row.get("state")?;
    JobState::parse(&name).ok_or_else(|| {
        PortError::new(ErrorKind::Internal, "jobs", "read a job")
            .with_detail(format!("unknown state {name:?}"))
    })
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
        let key = Key::stored(&key, row.get("unique_period")?);
        if let Some(other) = enqueue::holder(tx, &kind, tenant, &key).await?.filter(|other| *other != job) {
            return Err(PortError::new(ErrorKind::AlreadyExists, "jobs", "retry")
                .with_detail(format!("job {other} holds the unique key; discard this one")));
        }
    }
    framework_sql!(
        "update dolmen_job set state = 'active', attempt = 0, crashes = 0, due_at = {now}, finished_at = null where id = ?",
        job
    )
    .execute_in(tx)
    .await?;
    QueueName::parse(&row.get::<String>("queue")?)
}

pub(super) async fn discard(tx: &mut SqlTx, job: JobId) -> PortResult<()> {
    let row = held(tx, job, "discard", &[JobState::Dead, JobState::Ready, JobState::Running]).await?;
    // Its attempt is spent, whatever becomes of it.
    let spent = i32::from(state(&row)? == JobState::Running);
    // The lease of whoever runs it is void, also of a claim that comes at the same time and may still hand it out.
    framework_sql!(
        "update dolmen_job set state = 'discarded', attempt = attempt + ?, token = token + 1, finished_at = {now}
         where id = ?",
        spent,
        job
    )
    .execute_in(tx)
    .await
    .map(drop)
}

/// Locks a job that is in one of the states.
async fn held(tx: &mut SqlTx, job: JobId, operation: &'static str, states: &[JobState]) -> PortResult<Row> {
    let mut row = locked(tx, job).await?;
    let mut is_done = false;
    if row.is_none() && tx.dialect() == Dialect::Postgres {
        is_done = done::find(tx, job).await?.is_some();
        // Who waited for the lock of a row that made way for another one sees neither.
        row = if is_done { None } else { locked(tx, job).await? };
    }
    let state = match row {
        Some(row) => {
            let state = state(&row)?;
            if states.contains(&state) {
                return Ok(row);
            }
            state
        }
        None if is_done => JobState::Done,
        None => {
            return Err(
                PortError::new(ErrorKind::NotFound, "jobs", operation).with_detail(format!("no job {job}"))
            );
        }
    };
    Err(PortError::new(ErrorKind::Conflict, "jobs", operation)
        .with_detail(format!("job {job} is {}", state.name())))
}

async fn locked(tx: &mut SqlTx, job: JobId) -> PortResult<Option<Row>> {
    let rows = framework_sql!(
        "select case when state <> 'active' then state
                 when (id, token) in (select job, token from dolmen_job_running) then 'running'
                 else 'ready' end as state, kind, queue, tenant, unique_key, unique_period
         from dolmen_job where id = ? {for_update}",
        job
    )
    .fetch_in(tx)
    .await?;
    Ok(rows.into_iter().next())
}
