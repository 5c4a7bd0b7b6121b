//! What each job passes through, as PostgreSQL does it in one round trip.

use std::time::{Duration, Instant};

use dolmen_ports::jobs::OldestSnapshot;
use dolmen_ports::{
    ClaimId, ClaimRequest, ClaimedJob, ErrorKind, JobId, Lease, NewJob, PortError, PortResult, QueueName,
    Scope, TenantId, Timestamp,
};

use super::claim::Taken;
use super::{claim, done, enqueue, give_back, micros, settle};
use crate::database::{SqlDatabase, SqlTx};
use crate::driver::Mode;
use crate::statement::{Bind, Row, Value};

/// How often a claim is tried that had to wait too long for those before it.
const MAX_TRIES: u32 = 3;

const CLAIM: &str = "select * from dolmen_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";

/// What there is to rescue, and who keeps dead rows from being removed. Without the role `pg_read_all_stats` only sessions of the
/// same user are seen.
pub(super) const LOOK: &str = "
select statement_timestamp() as now, (select min(lease_until) from dolmen_job_claim) as next, exists (
        select 1 from dolmen_job where state = 'active' and crashes >= 2 and due_at <= statement_timestamp()
            and (id, token) not in (select job, token from dolmen_job_running)) as last_chances,
    oldest.session, oldest.xact_start
from (select 1) as one left join lateral (
    select format('process %s of %s, %s', pid, usename, coalesce(nullif(application_name, ''), 'without a name')) as session,
        xact_start
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
        and xact_start is not null and (backend_xmin is not null or backend_xid is not null)
    order by greatest(age(backend_xmin), age(backend_xid)) desc, xact_start limit 1) as oldest on true";

const INSERT: &str = "
insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload, version, ordering_key,
    due_at, created_at)
select id, kind, queue, 'active', tenant, priority, max_attempts, timeout_ms, payload, version, ordering_key,
    coalesce(due_at, statement_timestamp() + delay * interval '1 microsecond'), statement_timestamp()
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) as job (id, kind, queue, tenant, priority, max_attempts,
    timeout_ms, payload, version, ordering_key, due_at, delay)";

pub(super) async fn claim(
    database: &SqlDatabase,
    claim: ClaimId,
    request: &ClaimRequest,
) -> PortResult<Vec<ClaimedJob>> {
    let fronts = database.fronts();
    let (begin_after, others) = fronts
        .next()
        .filter(|_| !request.last_chances)
        .map_or((None, true), |(places, others)| (Some(places), others));
    let is_full = begin_after.is_none();
    let mut values = [
        claim.into_value(),
        request.worker.into_value(),
        array(request.kinds.iter().map(|known| known.kind.as_str())),
        array(claim::newer_versions(request)),
        array(request.queues.iter().map(QueueName::as_str)),
        array(request.except.iter().map(QueueName::as_str)),
        request.last_chances.into_value(),
        i64::from(request.limit).into_value(),
        micros(request.lease_for).into_value(),
        begin_after.into_value(),
        others.into_value(),
    ];
    let mut jobs = fetch(database, claim, &values, request).await?;
    let looks_at_all = fronts.may_look_at_all();
    if jobs.is_empty() && !is_full && (looks_at_all || !others) {
        let [.., begin_after, others] = &mut values;
        *others = true.into_value();
        if looks_at_all {
            *begin_after = None::<serde_json::Value>.into_value();
        }
        jobs = fetch(database, claim, &values, request).await?;
    }
    Ok(jobs)
}

/// Claims, and notes where that has come to.
async fn fetch(
    database: &SqlDatabase,
    claim: ClaimId,
    values: &[Value<'_>],
    request: &ClaimRequest,
) -> PortResult<Vec<ClaimedJob>> {
    let is_full = matches!(values, [.., Value::Null(_), _]);
    let most = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let mut tries = 1;
    loop {
        let started = Instant::now();
        let mut tx = database.begin(Mode::Single).await?;
        let result = tx.fetch(CLAIM, values).await;
        give_back(tx).await?;
        match result {
            Err(error) if error.kind() == ErrorKind::Contention && tries < MAX_TRIES => tries += 1,
            result => {
                let taken = taken(claim, &result?)?;
                let is_short = taken.len() < most;
                let left_nothing =
                    is_short && is_full && request.queues.is_empty() && request.except.is_empty();
                if !request.last_chances {
                    let full = is_full.then(|| started.elapsed());
                    database.fronts().note(&taken, full, is_short, left_nothing);
                }
                return Ok(taken.into_iter().map(|taken| taken.job).collect());
            }
        }
    }
}

/// The jobs of a claim, in order; they come as lists of one row.
fn taken(claim: ClaimId, rows: &[Row]) -> PortResult<Vec<Taken>> {
    let Some(row) = rows.first() else { return Ok(Vec::new()) };
    let claimed_at: Timestamp = row.at(0)?;
    let ids = row.array::<JobId>(1)?;
    let mut tokens = row.array::<i64>(2)?;
    let mut kinds = row.array::<String>(3)?;
    let mut queues = row.array::<QueueName>(4)?;
    let mut payloads = row.array::<String>(5)?;
    let mut versions = row.array::<u32>(6)?;
    let mut tenants = row.array::<Option<TenantId>>(7)?;
    let mut attempts = row.array::<u32>(8)?;
    let mut most_attempts = row.array::<u32>(9)?;
    let mut timeouts = row.array::<i64>(10)?;
    let mut priorities = row.array::<i32>(11)?;
    let mut dues = row.array::<Timestamp>(12)?;
    let mut heads = row.array::<bool>(13)?;
    let mut taken = Vec::with_capacity(ids.size_hint().1.unwrap_or_default());
    for id in ids {
        let lease = Lease::new(id?, next(&mut tokens)?, claim);
        let scope = Scope::from(next(&mut tenants)?);
        let mut job = ClaimedJob::new(lease, next(&mut kinds)?, next(&mut payloads)?, scope);
        let (priority, due_at) = (next(&mut priorities)?, next(&mut dues)?);
        job.queue = next(&mut queues)?;
        job.version = next(&mut versions)?;
        job.attempt = next(&mut attempts)? + 1;
        job.max_attempts = next(&mut most_attempts)?;
        job.timeout = Duration::from_millis(next(&mut timeouts)?.unsigned_abs());
        job.waited = claimed_at.since(due_at);
        taken.push(Taken { job, priority, due_at, claimed_at, is_head: next(&mut heads)? });
    }
    Taken::order(&mut taken);
    Ok(taken)
}

/// The lists of a claim are aggregates of the same rows, so none is shorter than the others.
fn next<T>(items: &mut impl Iterator<Item = PortResult<T>>) -> PortResult<T> {
    let ended = || {
        PortError::new(ErrorKind::Internal, "jobs", "claim")
            .with_detail("the lists of a claim differ in length")
    };
    items.next().unwrap_or_else(|| Err(ended()))
}

/// The oldest transaction that a row of [`LOOK`] tells of.
pub(super) fn oldest_snapshot(row: &Row, now: Timestamp) -> PortResult<Option<OldestSnapshot>> {
    let (session, since): (Option<String>, Option<Timestamp>) = (row.get("session")?, row.get("xact_start")?);
    Ok(session.zip(since).map(|(session, since)| OldestSnapshot::new(session, now.since(since))))
}

/// Completes jobs; returns those whose leases were lost.
pub(super) async fn complete_all(
    database: &SqlDatabase,
    leases: &[Lease],
    over: &[ClaimId],
) -> PortResult<Vec<JobId>> {
    let mut tx = database.begin(Mode::Single).await?;
    let lost = done::complete(&mut tx, leases, over).await;
    give_back(tx).await?;
    lost
}

/// Removes jobs of both tables that finished long ago.
pub(super) async fn prune(tx: &mut SqlTx, kept_for: Duration, limit: u32) -> PortResult<u64> {
    let removed = settle::prune(kept_for, limit).execute_in(tx).await?;
    Ok(removed + done::prune(tx, kept_for, u64::from(limit).saturating_sub(removed)).await?)
}

/// Many in one statement that is always the same, so that the server plans it once.
pub(super) async fn insert(tx: &mut SqlTx, jobs: &[&NewJob]) -> PortResult<()> {
    let values = [
        array(jobs.iter().map(|job| job.id)),
        array(jobs.iter().map(|job| &*job.kind)),
        array(jobs.iter().map(|job| job.queue.as_str())),
        array(jobs.iter().map(|job| job.scope.tenant())),
        array(jobs.iter().map(|job| i32::from(job.priority))),
        array(jobs.iter().map(|job| job.max_attempts)),
        array(jobs.iter().map(|job| enqueue::timeout_ms(job))),
        array(jobs.iter().map(|job| &*job.payload)),
        array(jobs.iter().map(|job| job.version)),
        array(jobs.iter().map(|job| enqueue::line_of(job))),
        array(jobs.iter().map(|job| enqueue::due(job).0)),
        array(jobs.iter().map(|job| enqueue::due(job).1)),
    ];
    tx.execute(INSERT, &values).await.map(drop).map_err(enqueue::known)
}

pub(super) fn array<'a, T: Bind<'a>>(items: impl Iterator<Item = T>) -> Value<'a> {
    Value::Array(T::KIND, items.map(T::into_value).collect())
}
