//! Ending attempts and claims, on every database: the jobs are locked and compared with their leases, and then changed.

use std::collections::HashSet;
use std::time::Duration;

use dolmen_ports::jobs::{MAX_CRASHES, OldestSnapshot};
use dolmen_ports::{
    ClaimId, Dialect, ErrorKind, JobFailure, JobId, JobState, Lease, NextStep, PortError, PortResult,
    QueueName, Rescued, Timestamp, TxDriver, Uuid,
};

use super::{give_back, micros, postgres, settle};
use crate::database::{SqlDatabase, SqlTx};
use crate::statement::{Row, Statement, framework_sql};

/// How often a transaction is tried that another one was in the way of.
const MAX_TRIES: u32 = 5;

/// The most jobs that one statement names.
const MOST_AT_ONCE: usize = 1_000;

/// Runs a unit in a transaction; anew after a deadlock.
macro_rules! in_transaction {
    ($database:expr, $tx:ident => $unit:expr) => {{
        let mut tries = 1;
        loop {
            let mut $tx = $database.begin($crate::driver::Mode::Write).await?;
            let result = $unit.await;
            match $crate::jobs::in_steps::end($tx, result).await {
                Err(error) if $crate::jobs::in_steps::may_try_again(&error, tries) => tries += 1,
                result => break result,
            }
        }
    }};
}
pub(super) use in_transaction;

pub(super) fn may_try_again(error: &PortError, tries: u32) -> bool {
    error.kind() == ErrorKind::Contention && tries < MAX_TRIES
}

/// Commits what worked, and rolls back what did not.
pub(super) async fn end<T>(tx: SqlTx, result: PortResult<T>) -> PortResult<T> {
    match result {
        Ok(value) => Box::new(tx).commit().await.map(|_| value),
        Err(error) => {
            drop(give_back(tx).await);
            Err(error)
        }
    }
}

/// What was changed: the jobs, and their queues.
#[derive(Debug, Default)]
pub(super) struct Changed {
    pub(super) jobs: Vec<JobId>,
    pub(super) queues: Vec<QueueName>,
}

impl Changed {
    fn of(rows: &[Row]) -> PortResult<Self> {
        let queues = rows.iter().map(|row| QueueName::parse(&row.get::<String>("queue")?));
        Ok(Self { jobs: ids(rows)?, queues: queues.collect::<PortResult<_>>()? })
    }
}

/// Locks the jobs of those leases that are not void.
async fn held(tx: &mut SqlTx, leases: &[Lease]) -> PortResult<Vec<Row>> {
    let rows = framework_sql!(
        "select id, token, state, queue, attempt, max_attempts, crashes from dolmen_job where id in ({list}) {for_update}"
    )
    .bind_list(leases.iter().map(|lease| lease.job))
    .fetch_in(tx)
    .await?;
    let leases: HashSet<_> = leases.iter().map(|lease| (lease.job, lease.token)).collect();
    let mut held = Vec::with_capacity(rows.len());
    for row in rows {
        // Compared here: in the statement the state would invite an optimizer to walk through all active jobs.
        let is_active = row.get::<String>("state")? == settle::ACTIVE;
        if is_active && leases.contains(&(row.get("id")?, row.get("token")?)) {
            held.push(row);
        }
    }
    Ok(held)
}

fn ids(rows: &[Row]) -> PortResult<Vec<JobId>> {
    rows.iter().map(|row| row.get("id")).collect()
}

/// Completes jobs; returns those whose leases were lost.
pub(super) async fn complete_all(
    database: &SqlDatabase,
    leases: &[Lease],
    over: &[ClaimId],
) -> PortResult<Vec<JobId>> {
    let held = in_transaction!(database, tx => complete_all_in(&mut tx, leases, over))?;
    Ok(settle::lost(leases, &held))
}

async fn complete_all_in(tx: &mut SqlTx, leases: &[Lease], over: &[ClaimId]) -> PortResult<Vec<JobId>> {
    let jobs = ids(&held(tx, leases).await?)?;
    framework_sql!(
        "update dolmen_job set state = 'done', attempt = attempt + 1, finished_at = {now} where id in ({list})"
    )
    .bind_list(jobs.iter().copied())
    .execute_in(tx)
    .await?;
    end_claims(tx, over).await?;
    Ok(jobs)
}

/// Removes the rows of claims whose jobs are all settled.
async fn end_claims(tx: &mut SqlTx, claims: &[ClaimId]) -> PortResult<()> {
    if claims.is_empty() {
        return Ok(());
    }
    let statement = framework_sql!("delete from dolmen_job_claim where id in ({list})");
    statement.bind_list(claims.iter().copied()).execute_in(tx).await.map(drop)
}

pub(super) async fn release(
    database: &SqlDatabase,
    leases: &[Lease],
    delay: Duration,
    over: &[ClaimId],
) -> PortResult<Changed> {
    in_transaction!(database, tx => release_in(&mut tx, leases, delay, over))
}

async fn release_in(
    tx: &mut SqlTx,
    leases: &[Lease],
    delay: Duration,
    over: &[ClaimId],
) -> PortResult<Changed> {
    let changed = Changed::of(&held(tx, leases).await?)?;
    framework_sql!(
        "update dolmen_job set token = token + 1, due_at = {now_plus ?} where id in ({list})",
        micros(delay)
    )
    .bind_list(changed.jobs.iter().copied())
    .execute_in(tx)
    .await?;
    end_claims(tx, over).await?;
    Ok(changed)
}

pub(super) async fn fail(
    database: &SqlDatabase,
    lease: &Lease,
    failure: &JobFailure,
    reason: &str,
    over: &[ClaimId],
) -> PortResult<JobState> {
    in_transaction!(database, tx => fail_in(&mut tx, lease, failure, reason, over))
}

async fn fail_in(
    tx: &mut SqlTx,
    lease: &Lease,
    failure: &JobFailure,
    reason: &str,
    over: &[ClaimId],
) -> PortResult<JobState> {
    let rows = held(tx, std::slice::from_ref(lease)).await?;
    let Some(row) = rows.first() else { return Err(settle::lease_lost("fail", lease)) };
    let (attempt, max_attempts): (u32, u32) = (row.get("attempt")?, row.get("max_attempts")?);
    let (state, delay) = match failure.next {
        NextStep::RetryIn(delay) if attempt + 1 < max_attempts => (JobState::Ready, delay),
        NextStep::RetryIn(_) | NextStep::Bury => (JobState::Dead, Duration::ZERO),
        NextStep::Discard => (JobState::Discarded, Duration::ZERO),
    };
    let again = state == JobState::Ready;
    framework_sql!(
        "update dolmen_job
         set state = ?, due_at = case when ? then {now_plus ?} else due_at end,
             finished_at = case when ? then null else {now} end, last_error = ?, attempt = attempt + 1, token = token + 1
         where id = ?",
        if again { settle::ACTIVE } else { state.name() },
        again,
        micros(delay),
        again,
        reason,
        lease.job
    )
    .execute_in(tx)
    .await?;
    end_claims(tx, over).await?;
    Ok(state)
}

/// Extends claims; returns the jobs of those leases that still hold.
pub(super) async fn extend(
    tx: &mut SqlTx,
    leases: &[Lease],
    lease_for: Duration,
) -> PortResult<HashSet<JobId>> {
    let claims: HashSet<ClaimId> = leases.iter().map(|lease| lease.claim).collect();
    framework_sql!(
        "update dolmen_job_claim set lease_until = {now_plus ?} where id in ({list})",
        micros(lease_for)
    )
    .bind_list(claims.iter().copied())
    .execute_in(tx)
    .await?;
    let alive = framework_sql!("select id from dolmen_job_claim where id in ({list})");
    let alive = alive.bind_list(claims.iter().copied()).fetch_in(tx).await?;
    let alive: HashSet<ClaimId> = alive.iter().map(|row| row.get("id")).collect::<PortResult<_>>()?;
    let mut hold = HashSet::new();
    for leases in leases.chunks(MOST_AT_ONCE) {
        let rows = framework_sql!("select id, token, state from dolmen_job where id in ({list})");
        let rows = rows.bind_list(leases.iter().map(|lease| lease.job)).fetch_in(tx).await?;
        let mut active = HashSet::new();
        for row in &rows {
            if row.get::<String>("state")? == settle::ACTIVE {
                active.insert((row.get::<JobId>("id")?, row.get::<i64>("token")?));
            }
        }
        let holds =
            |lease: &&Lease| alive.contains(&lease.claim) && active.contains(&(lease.job, lease.token));
        hold.extend(leases.iter().filter(holds).map(|lease| lease.job));
    }
    Ok(hold)
}

/// Treats leases as run out, each in a statement of its own, on a connection without a transaction.
pub(super) async fn give_up(tx: &mut SqlTx, leases: &[Lease]) -> PortResult<()> {
    let reason = "worker-crash: the attempt did not end in its time, so what ran it is taken for dead";
    for lease in leases {
        crash(&[lease.job], Some(lease.token), reason).execute_in(tx).await?;
    }
    Ok(())
}

/// Counts a crash and an attempt of active jobs, and makes them ready again, or dead; only with this token, if there is one.
fn crash<'a>(jobs: &[JobId], token: Option<i64>, reason: &'a str) -> Statement<'a> {
    // Set from left to right on the MySQL family: what is read of a row is read before it is set.
    framework_sql!(
        "update dolmen_job
         set state = case when crashes + 1 >= ? or attempt + 1 >= max_attempts then 'dead' else 'active' end,
             due_at = case when crashes + 1 >= ? or attempt + 1 >= max_attempts then due_at else {now} end,
             finished_at = case when crashes + 1 >= ? or attempt + 1 >= max_attempts then {now} else null end,
             attempt = attempt + 1, crashes = crashes + 1, token = token + 1, last_error = ?
         where id in ({list}) and state = 'active' and (? is null or token = ?)",
        MAX_CRASHES,
        MAX_CRASHES,
        MAX_CRASHES,
        reason,
        token,
        token
    )
    .bind_list(jobs.iter().copied())
}

/// What there is to rescue, as seen without locking anything.
pub(super) struct Look {
    pub(super) is_expired: bool,
    pub(super) next_in: Option<Duration>,
    pub(super) last_chances: bool,
    pub(super) oldest_snapshot: Option<OldestSnapshot>,
}

pub(super) async fn look(tx: &mut SqlTx) -> PortResult<Look> {
    let is_postgres = tx.dialect() == Dialect::Postgres;
    let rows = if is_postgres {
        tx.fetch(postgres::LOOK, &[]).await?
    } else {
        framework_sql!(
            "select {now} as now, (select min(lease_until) from dolmen_job_claim) as next, exists (
                 select 1 from dolmen_job where state = 'active' and crashes >= 2 and due_at <= {now}
                     and (id, token) not in (select job, token from dolmen_job_running)) as last_chances"
        )
        .fetch_in(tx)
        .await?
    };
    let Some(row) = rows.first() else {
        return Ok(Look { is_expired: false, next_in: None, last_chances: false, oldest_snapshot: None });
    };
    let (now, next): (Timestamp, Option<Timestamp>) = (row.get("now")?, row.get("next")?);
    Ok(Look {
        is_expired: next.is_some_and(|next| next < now),
        next_in: next.map(|next| next.since(now)),
        last_chances: row.get("last_chances")?,
        oldest_snapshot: if is_postgres { postgres::oldest_snapshot(row, now)? } else { None },
    })
}

pub(super) async fn rescue(database: &SqlDatabase, limit: u32) -> PortResult<(Rescued, Vec<QueueName>)> {
    in_transaction!(database, tx => rescue_in(&mut tx, limit))
}

/// One claim after the other, so that no more jobs are taken back than were asked for.
async fn rescue_in(tx: &mut SqlTx, limit: u32) -> PortResult<(Rescued, Vec<QueueName>)> {
    let expired = framework_sql!(
        "select id from dolmen_job_claim where lease_until < {now} order by lease_until, id limit ? {skip_locked}",
        limit
    )
    .fetch_in(tx)
    .await?;
    let (mut all, mut queues, mut over) = (Rescued::default(), Vec::new(), Vec::new());
    for row in &expired {
        let claim: ClaimId = row.get("id")?;
        let left = usize::try_from(u64::from(limit) - all.requeued - all.buried).unwrap_or(usize::MAX);
        let leases = leases_of(tx, claim).await?;
        let mut rows = held(tx, &leases).await?;
        if rows.len() <= left {
            over.push(claim);
        }
        rows.truncate(left);
        let (rescued, woken) = take_back(tx, &rows).await?;
        all.requeued += rescued.requeued;
        all.buried += rescued.buried;
        queues.extend(woken);
    }
    end_claims(tx, &over).await?;
    Ok((all, queues))
}

async fn leases_of(tx: &mut SqlTx, claim: ClaimId) -> PortResult<Vec<Lease>> {
    let rows = framework_sql!("select job, token from dolmen_job_running where claim = ?", claim);
    let rows = rows.fetch_in(tx).await?;
    rows.iter()
        .map(|row| Ok(Lease::new(JobId::new(row.get::<Uuid>("job")?), row.get("token")?, claim)))
        .collect()
}

/// Counts a crash and an attempt of each job, and makes it ready again, or dead.
async fn take_back(tx: &mut SqlTx, rows: &[Row]) -> PortResult<(Rescued, Vec<QueueName>)> {
    let (mut rescued, mut queues) = (Rescued::default(), Vec::new());
    for row in rows {
        let (attempt, max_attempts): (u32, u32) = (row.get("attempt")?, row.get("max_attempts")?);
        if row.get::<u32>("crashes")? + 1 >= MAX_CRASHES || attempt + 1 >= max_attempts {
            rescued.buried += 1;
        } else {
            rescued.requeued += 1;
            queues.push(QueueName::parse(&row.get::<String>("queue")?)?);
        }
    }
    let reason = "worker-crash: its lease ran out, so its process is taken for dead";
    crash(&ids(rows)?, None, reason).execute_in(tx).await?;
    Ok((rescued, queues))
}
