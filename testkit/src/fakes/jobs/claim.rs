//! Taking jobs, keeping them, and taking them back from the dead.

use std::collections::{BTreeMap, BTreeSet};

use dolmen_ports::jobs::MAX_CRASHES;
use dolmen_ports::{
    ClaimId, ClaimRequest, ClaimedJob, JobId, JobRecord, JobState, Lease, PortResult, QueueName, Rescued,
    Scope, TenantId, Timestamp, WriteTx,
};

use super::row::{Row, change_held};
use super::{JOBS, PAUSED};

/// Takes due jobs: by priority, due time, id.
pub(super) fn claim(
    tx: &mut WriteTx,
    request: &ClaimRequest,
    claim: ClaimId,
    now: Timestamp,
) -> PortResult<Vec<ClaimedJob>> {
    let paused = PAUSED.scan(tx, |_, ()| true)?.into_iter().map(|(queue, ())| queue).collect();
    let lines = Lines::of(JOBS.scan(tx, |_, row| row.is_active() && row.record.ordering_key.is_some())?);
    let mut due =
        JOBS.scan(tx, |_, row| is_wanted(row, request, &paused, now) && lines.let_pass(&row.record))?;
    due.sort_by_key(|(id, row)| (row.record.priority, row.record.due_at, *id));
    due.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
    let until = now.plus(request.lease_for);
    let mut claimed = Vec::with_capacity(due.len());
    for (id, _) in due {
        claimed.extend(JOBS.update(tx, &id, |row| take(row, claim, until, now))?);
    }
    Ok(claimed)
}

fn is_wanted(row: &Row, request: &ClaimRequest, paused: &BTreeSet<QueueName>, now: Timestamp) -> bool {
    let record = &row.record;
    record.state == JobState::Ready
        && record.due_at <= now
        && request.kinds.iter().any(|known| known.kind == record.kind && record.version <= known.version)
        && request.wants(&record.queue)
        && !paused.contains(&record.queue)
        && is_last_chance(row) == request.last_chances
}

/// Whether one more crash makes it dead.
pub(super) fn is_last_chance(row: &Row) -> bool {
    row.record.crashes + 1 >= MAX_CRASHES
}

/// The lines of jobs with an ordering key: who stands first in each, and whether one of it runs.
struct Lines(BTreeMap<Line, (bool, (Timestamp, JobId))>);

/// Whose line, and its key.
type Line = (Option<TenantId>, String);

impl Lines {
    fn of(active: Vec<(JobId, Row)>) -> Self {
        let mut lines = BTreeMap::new();
        for (id, Row { record, .. }) in active {
            let Some(key) = record.ordering_key else { continue };
            let place = (record.created_at, id);
            let (runs, first) = lines.entry((record.tenant, key)).or_insert((false, place));
            *runs |= record.state == JobState::Running;
            *first = place.min(*first);
        }
        Self(lines)
    }

    fn let_pass(&self, record: &JobRecord) -> bool {
        let Some(key) = &record.ordering_key else { return true };
        self.0
            .get(&(record.tenant, key.clone()))
            .is_none_or(|(runs, first)| !runs && *first == (record.created_at, record.id))
    }
}

fn take(row: &mut Row, claim: ClaimId, until: Timestamp, now: Timestamp) -> ClaimedJob {
    row.record.state = JobState::Running;
    row.record.attempt += 1;
    row.token += 1;
    row.lease_until = until;
    row.claim = claim;
    let record = &row.record;
    let lease = Lease::new(record.id, row.token, claim);
    let scope = Scope::from(record.tenant);
    let mut job = ClaimedJob::new(lease, record.kind.clone(), record.payload.clone(), scope);
    job.queue = record.queue.clone();
    job.version = record.version;
    job.attempt = record.attempt;
    job.max_attempts = record.max_attempts;
    job.timeout = row.timeout;
    job.waited = now.since(record.due_at);
    job
}

/// Extends the claim of a lease that holds; `false` when the lease is void.
pub(super) fn extend(tx: &mut WriteTx, lease: &Lease, until: Timestamp) -> PortResult<bool> {
    if change_held(tx, lease, |_| ())?.is_none() {
        return Ok(false);
    }
    let with_it = |_: &JobId, row: &Row| row.record.state == JobState::Running && row.claim == lease.claim;
    for (id, _) in JOBS.scan(tx, with_it)? {
        JOBS.update(tx, &id, |row| row.lease_until = until)?;
    }
    Ok(true)
}

/// Makes the jobs of leases that still hold ready again, or dead.
pub(super) fn give_up(tx: &mut WriteTx, leases: &[Lease], now: Timestamp) -> PortResult<()> {
    for lease in leases {
        if change_held(tx, lease, |_| ())?.is_some() {
            rescue_one(tx, lease.job, now)?;
        }
    }
    Ok(())
}

/// Makes jobs whose lease ran out ready again, or dead.
pub(super) fn rescue(tx: &mut WriteTx, limit: u32, now: Timestamp) -> PortResult<Rescued> {
    let mut expired =
        JOBS.scan(tx, |_, row| row.record.state == JobState::Running && row.lease_until <= now)?;
    expired.sort_by_key(|(id, row)| (row.lease_until, *id));
    expired.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    let mut rescued = Rescued::new(0, 0);
    for (id, _) in expired {
        match rescue_one(tx, id, now)? {
            Some(JobState::Dead) => rescued.buried += 1,
            _ => rescued.requeued += 1,
        }
    }
    let active = JOBS.scan(tx, |_, row| row.is_active())?;
    rescued.last_chances =
        active.iter().any(|(_, row)| row.record.state == JobState::Ready && is_last_chance(row));
    let running = active.iter().filter(|(_, row)| row.record.state == JobState::Running);
    rescued.next_in = running.map(|(_, row)| row.lease_until.since(now)).min();
    Ok(rescued)
}

fn rescue_one(tx: &mut WriteTx, id: JobId, now: Timestamp) -> PortResult<Option<JobState>> {
    JOBS.update(tx, &id, |row| {
        row.record.crashes += 1;
        row.record.last_error = Some("worker-crash: the lease ran out".to_owned());
        if row.record.crashes >= MAX_CRASHES || row.record.attempt >= row.record.max_attempts {
            row.finish(JobState::Dead, now);
        } else {
            row.record.state = JobState::Ready;
        }
        row.record.state
    })
}
