//! Jobs that are done, as PostgreSQL keeps them: all that one call completed in one row.
//!
//! A job that stays in its row costs a new version of that row and an entry in two indexes, and as much again when it is
//! removed. Here it costs the old version's mark as dead, and its share of a row.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use dolmen_ports::{ClaimId, JobFilter, JobId, Lease, PortResult, QueueName};

use super::inspect::Record;
use super::postgres::array;
use super::{enqueue, micros};
use crate::database::SqlTx;
use crate::statement::{Bind, FromRow as _};

/// One, as a handler does that completes its job itself.
const COMPLETE: &str = "select dolmen_complete($1, $2)";

/// Many, as a worker does, and claims that are over.
const COMPLETE_ALL: &str = "select dolmen_complete_all($1, $2, $3, $4, $5, $6, $7)";

/// From the nearest batch on: ids ascend with time, and so do batches.
const FIND: &str = "
select job.*, 'done' as state, finished_at from dolmen_job_done, unnest(jobs) as job
where first_job <= $1 and last_job >= $1 and job.id = $1 order by last_job limit 1";

const LIST: &str = "
select (job).*, 'done' as state, finished_at from dolmen_done_jobs($1, $2, $3, $4, $5, $6, $7)
order by (job).id desc limit $7";

/// The oldest batches, and of the one in which the limit is reached so many jobs as are left to it.
const PRUNE: &str = "
with old as (
    select finished_at, id, size from dolmen_job_done
    where finished_at < statement_timestamp() - $1 * interval '1 microsecond'
    order by finished_at, id limit $2 for update skip locked
), doomed as (
    select finished_at, id, size, sum(size) over (order by finished_at, id) as total from old
), whole as (
    delete from dolmen_job_done as done using doomed
    where (done.finished_at, done.id) = (doomed.finished_at, doomed.id) and total <= $2
), part as (
    update dolmen_job_done as done set size = total - $2, jobs = jobs[($2 - total + doomed.size + 1)::int:] from doomed
    where (done.finished_at, done.id) = (doomed.finished_at, doomed.id) and total > $2 and total - doomed.size < $2
)
select least(coalesce(sum(size), 0), $2)::bigint from doomed";

/// Completes jobs, and removes claims; returns the jobs whose leases were lost.
pub(super) async fn complete(tx: &mut SqlTx, leases: &[Lease], over: &[ClaimId]) -> PortResult<Vec<JobId>> {
    if let ([lease], []) = (leases, over) {
        let rows = tx.fetch(COMPLETE, &[lease.job.into_value(), lease.token.into_value()]).await?;
        let is_done = rows.first().map_or(Ok(false), |row| row.at(0))?;
        return Ok(if is_done { Vec::new() } else { vec![lease.job] });
    }
    let jobs = || leases.iter().map(|lease| lease.job);
    let usual = usual_token(leases);
    // With all leases of those jobs that have another one.
    let unusual: HashSet<JobId> =
        leases.iter().filter(|lease| lease.token != usual).map(|lease| lease.job).collect();
    let others = || leases.iter().filter(|lease| unusual.contains(&lease.job));
    let values = [
        array(jobs()),
        usual.into_value(),
        array(others().map(|lease| lease.job)),
        array(others().map(|lease| lease.token)),
        array(over.iter()),
        jobs().min().into_value(),
        jobs().max().into_value(),
    ];
    tx.fetch(COMPLETE_ALL, &values).await?.iter().map(|row| row.at(0)).collect()
}

/// The token that most of them have.
fn usual_token(leases: &[Lease]) -> i64 {
    let mut counts = HashMap::new();
    for lease in leases {
        *counts.entry(lease.token).or_insert(0) += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(1, |(token, _)| token)
}

pub(super) async fn find(tx: &mut SqlTx, job: JobId) -> PortResult<Option<Record>> {
    tx.fetch(FIND, &[job.into_value()]).await?.first().map(Record::from_row).transpose()
}

/// Those that match, newest first.
pub(super) async fn list(tx: &mut SqlTx, filter: &JobFilter, limit: u32) -> PortResult<Vec<Record>> {
    let line = filter.line.as_ref().map(|(scope, key)| enqueue::line(*scope, key));
    let values = [
        filter.kind.as_deref().into_value(),
        filter.queue.as_ref().map(QueueName::as_str).into_value(),
        filter.tenant.into_value(),
        line.as_deref().into_value(),
        filter.reason.as_deref().filter(|text| !text.is_empty()).into_value(),
        filter.before.into_value(),
        i64::from(limit).into_value(),
    ];
    tx.fetch(LIST, &values).await?.iter().map(Record::from_row).collect()
}

/// Removes those that finished longer than `kept_for` ago, at most `limit`; returns how many.
pub(super) async fn prune(tx: &mut SqlTx, kept_for: Duration, limit: u64) -> PortResult<u64> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let rows = tx.fetch(PRUNE, &[micros(kept_for).into_value(), limit.into_value()]).await?;
    rows.first().map_or(Ok(0), |row| row.at::<i64>(0).map(i64::unsigned_abs))
}
