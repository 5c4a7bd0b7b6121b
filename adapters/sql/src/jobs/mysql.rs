//! The queue on MariaDB and MySQL. No update returns its rows there, so they are locked and read first, and changed in the
//! same transaction.

use std::collections::HashSet;
use std::time::Duration;

use dolmen_ports::jobs::MAX_CRASHES;
use dolmen_ports::{
    ClaimRequest, ClaimedJob, ErrorKind, JobFailure, JobId, JobState, Lease, NewJob, NextStep, PortResult,
    QueueName, Rescued, Timestamp, TxDriver,
};

use super::claim::{Front, claimed, fronts};
use super::{enqueue, give_back, micros, settle};
use crate::database::{SqlDatabase, SqlTx};
use crate::driver::Mode;
use crate::row;
use crate::statement::{Row, framework_sql};

/// How often a transaction is tried that another one was in the way of.
const MAX_TRIES: u32 = 5;

/// The due jobs of a front, without those that others hold. The index is named, because the statistics of a table that fills
/// and empties lead the optimizer astray. Kinds are joined by commas, which their names cannot hold.
const DUE: &str = "
select id, token + 1 as token, kind, queue, payload, tenant, attempt + 1 as attempt, max_attempts, timeout_ms, due_at,
    utc_timestamp(6) as now
from dolmen_job force index (dolmen_job_claim)
where state = 'ready' and queue = ? and priority = ? and due_at <= utc_timestamp(6) and find_in_set(kind, ?)
order by due_at, id limit ? for update skip locked";

/// Runs a unit in a transaction; anew after a deadlock.
macro_rules! in_transaction {
    ($database:expr, $tx:ident => $unit:expr) => {{
        let mut tries = 1;
        loop {
            let mut $tx = $database.begin(Mode::Write).await?;
            let result = $unit.await;
            match end($tx, result).await {
                Err(error) if error.kind() == ErrorKind::Contention && tries < MAX_TRIES => tries += 1,
                result => break result,
            }
        }
    }};
}

async fn end<T>(tx: SqlTx, result: PortResult<T>) -> PortResult<T> {
    match result {
        Ok(value) => Box::new(tx).commit().await.map(|_| value),
        Err(error) => {
            drop(give_back(tx).await);
            Err(error)
        }
    }
}

/// As in one statement, but with the database's time read first: the rows of an insert cannot compute.
pub(super) async fn insert(tx: &mut SqlTx, jobs: impl Iterator<Item = &NewJob>) -> PortResult<()> {
    let jobs: Vec<_> = jobs.collect();
    if jobs.is_empty() {
        return Ok(());
    }
    let rows = framework_sql!("select {now} as now").fetch_in(tx).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let now: Timestamp = row.get("now")?;
    let rows = jobs.iter().map(|job| {
        let (at, delay) = enqueue::due(job);
        row![
            job.id,
            &*job.kind,
            job.queue.as_str(),
            JobState::Ready.name(),
            job.scope.tenant(),
            i32::from(job.priority),
            job.max_attempts,
            enqueue::timeout_ms(job),
            &job.payload,
            at.unwrap_or_else(|| now.plus(Duration::from_micros(delay.unsigned_abs()))),
            now
        ]
    });
    framework_sql!(
        "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
             due_at, created_at)
         values {rows}"
    )
    .bind_rows(rows)
    .execute_in(tx)
    .await
    .map(drop)
    .map_err(enqueue::known)
}

/// A conflict of any key counts, also one of the id; the caller looks which one it was.
pub(super) async fn try_insert_unique(tx: &mut SqlTx, job: &NewJob, key: &str) -> PortResult<u64> {
    let (at, delay) = enqueue::due(job);
    framework_sql!(
        "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
             due_at, created_at, unique_key)
         values (?, ?, ?, 'ready', ?, ?, ?, ?, ?, coalesce(?, {now_plus ?}), {now}, ?)
         {ignore_conflict unique_key}",
        job.id,
        &*job.kind,
        job.queue.as_str(),
        job.scope.tenant(),
        i32::from(job.priority),
        job.max_attempts,
        enqueue::timeout_ms(job),
        &job.payload,
        at,
        delay,
        key
    )
    .execute_in(tx)
    .await
}

pub(super) async fn claim(database: &SqlDatabase, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
    // A look that locks nothing, since a poll most often finds nothing.
    let mut tx = database.begin(Mode::Single).await?;
    let fronts = fronts(&mut tx, &request.queues).await;
    give_back(tx).await?;
    let mut fronts = fronts?;
    if fronts.is_empty() {
        return Ok(Vec::new());
    }
    fronts.sort_by(|one, other| {
        (one.priority, one.due_at, &one.queue).cmp(&(other.priority, other.due_at, &other.queue))
    });
    in_transaction!(database, tx => claim_from(&mut tx, &fronts, request))
}

async fn claim_from(tx: &mut SqlTx, fronts: &[Front], request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
    let kinds: Vec<_> = request.kinds.iter().map(String::as_str).filter(|kind| !kind.contains(',')).collect();
    let (kinds, limit) = (kinds.join(","), usize::try_from(request.limit).unwrap_or(usize::MAX));
    let mut jobs = Vec::new();
    for front in fronts {
        let left = i64::try_from(limit - jobs.len()).unwrap_or(i64::MAX);
        let values = row![&front.queue, front.priority, &kinds, left];
        for row in &tx.fetch(DUE, &values).await? {
            jobs.push(claimed(row)?);
        }
        if jobs.len() >= limit {
            break;
        }
    }
    if !jobs.is_empty() {
        framework_sql!(
            "update dolmen_job
             set state = 'running', attempt = attempt + 1, token = token + 1, worker = ?, lease_until = {now_plus ?}
             where id in ({list})",
            request.worker,
            micros(request.lease_for)
        )
        .bind_list(jobs.iter().map(|job| job.lease.job))
        .execute_in(tx)
        .await?;
    }
    Ok(jobs)
}

/// Locks the running jobs of those leases that are not void. The state is compared here: in the statement it would invite the
/// optimizer to walk through, and lock, all running jobs.
async fn held(tx: &mut SqlTx, leases: &[Lease]) -> PortResult<Vec<Row>> {
    let rows = framework_sql!(
        "select id, token, state, queue, attempt, max_attempts from dolmen_job where id in ({list}) {for_update}"
    )
    .bind_list(leases.iter().map(|lease| lease.job))
    .fetch_in(tx)
    .await?;
    let leases: HashSet<_> = leases.iter().map(|lease| (lease.job, lease.token)).collect();
    let mut held = Vec::with_capacity(rows.len());
    for row in rows {
        let is_running = settle::state(&row)? == JobState::Running;
        if is_running && leases.contains(&(row.get("id")?, row.get("token")?)) {
            held.push(row);
        }
    }
    Ok(held)
}

fn ids(rows: &[Row]) -> PortResult<Vec<JobId>> {
    rows.iter().map(|row| row.get("id")).collect()
}

pub(super) async fn complete_all(database: &SqlDatabase, leases: &[Lease]) -> PortResult<Vec<Row>> {
    in_transaction!(database, tx => complete_all_in(&mut tx, leases))
}

async fn complete_all_in(tx: &mut SqlTx, leases: &[Lease]) -> PortResult<Vec<Row>> {
    let rows = held(tx, leases).await?;
    framework_sql!(
        "update dolmen_job set state = 'done', finished_at = {now}, lease_until = null, worker = null
         where id in ({list})"
    )
    .bind_list(ids(&rows)?)
    .execute_in(tx)
    .await?;
    Ok(rows)
}

pub(super) async fn release(
    database: &SqlDatabase,
    leases: &[Lease],
    delay: Duration,
) -> PortResult<Vec<Row>> {
    in_transaction!(database, tx => release_in(&mut tx, leases, delay))
}

async fn release_in(tx: &mut SqlTx, leases: &[Lease], delay: Duration) -> PortResult<Vec<Row>> {
    let rows = held(tx, leases).await?;
    framework_sql!(
        "update dolmen_job
         set state = 'ready', attempt = attempt - 1, due_at = {now_plus ?}, lease_until = null, worker = null
         where id in ({list})",
        micros(delay)
    )
    .bind_list(ids(&rows)?)
    .execute_in(tx)
    .await?;
    Ok(rows)
}

pub(super) async fn fail(
    database: &SqlDatabase,
    lease: &Lease,
    failure: &JobFailure,
    reason: &str,
) -> PortResult<JobState> {
    in_transaction!(database, tx => fail_in(&mut tx, lease, failure, reason))
}

async fn fail_in(tx: &mut SqlTx, lease: &Lease, failure: &JobFailure, reason: &str) -> PortResult<JobState> {
    let rows = held(tx, std::slice::from_ref(lease)).await?;
    let Some(row) = rows.first() else { return Err(settle::lease_lost("fail", lease)) };
    let may_retry = row.get::<u32>("attempt")? < row.get::<u32>("max_attempts")?;
    let (state, delay) = match failure.next {
        NextStep::RetryIn(delay) if may_retry => (JobState::Ready, delay),
        NextStep::RetryIn(_) | NextStep::Bury => (JobState::Dead, Duration::ZERO),
        NextStep::Discard => (JobState::Discarded, Duration::ZERO),
    };
    let is_ready = state == JobState::Ready;
    framework_sql!(
        "update dolmen_job
         set state = ?, due_at = case when ? then {now_plus ?} else due_at end,
             finished_at = case when ? then null else {now} end, last_error = ?, lease_until = null, worker = null
         where id = ?",
        state.name(),
        is_ready,
        micros(delay),
        is_ready,
        reason,
        lease.job
    )
    .execute_in(tx)
    .await?;
    Ok(state)
}

/// Extends in one statement, which alone is atomic: tokens and states are compared as text, since a list holds one column. The
/// rows are those of the leases that are not void.
pub(super) async fn extend(tx: &mut SqlTx, leases: &[Lease], lease_for: Duration) -> PortResult<Vec<Row>> {
    let tokens: Vec<_> = leases
        .iter()
        .map(|lease| format!("{}:{}:running", lease.job.as_uuid().simple(), lease.token))
        .collect();
    framework_sql!(
        "update dolmen_job set lease_until = {now_plus ?}
         where id in ({list}) and find_in_set(concat(lower(hex(id)), ':', token, ':', state), ?) > 0",
        micros(lease_for),
        tokens.join(",")
    )
    .bind_list(leases.iter().map(|lease| lease.job))
    .execute_in(tx)
    .await?;
    framework_sql!(
        "select id from dolmen_job
         where id in ({list}) and find_in_set(concat(lower(hex(id)), ':', token, ':', state), ?) > 0",
        tokens.join(",")
    )
    .bind_list(leases.iter().map(|lease| lease.job))
    .fetch_in(tx)
    .await
}

pub(super) async fn rescue(database: &SqlDatabase, limit: u32) -> PortResult<(Rescued, Vec<QueueName>)> {
    in_transaction!(database, tx => rescue_in(&mut tx, limit))
}

async fn rescue_in(tx: &mut SqlTx, limit: u32) -> PortResult<(Rescued, Vec<QueueName>)> {
    let rows = framework_sql!(
        "select id, queue, case when crashes + 1 >= ? or attempt >= max_attempts then 'dead' else 'ready' end as state
         from dolmen_job where state = 'running' and lease_until < {now} order by lease_until limit ? {skip_locked}",
        MAX_CRASHES,
        limit
    )
    .fetch_in(tx)
    .await?;
    // Set from left to right: what is read of a row is read before it is set.
    framework_sql!(
        "update dolmen_job
         set state = case when crashes + 1 >= ? or attempt >= max_attempts then 'dead' else 'ready' end,
             due_at = case when crashes + 1 >= ? or attempt >= max_attempts then due_at else {now} end,
             finished_at = case when crashes + 1 >= ? or attempt >= max_attempts then {now} else null end,
             crashes = crashes + 1, lease_until = null, worker = null,
             last_error = 'worker-crash: its lease ran out, so its process is taken for dead'
         where id in ({list})",
        MAX_CRASHES,
        MAX_CRASHES,
        MAX_CRASHES
    )
    .bind_list(ids(&rows)?)
    .execute_in(tx)
    .await?;
    settle::rescued(&rows)
}

/// State by state, each through its index.
pub(super) async fn prune(tx: &mut SqlTx, kept_for: Duration, limit: u32) -> PortResult<u64> {
    let mut removed = 0;
    for state in [JobState::Done, JobState::Discarded] {
        removed += framework_sql!(
            "delete from dolmen_job where state = ? and finished_at < {now_plus ?} order by finished_at limit ?",
            state.name(),
            micros(kept_for).saturating_neg(),
            i64::from(limit).saturating_sub_unsigned(removed)
        )
        .execute_in(tx)
        .await?;
    }
    Ok(removed)
}
