//! What each job passes through, as PostgreSQL does it in one round trip.

use std::time::Instant;

use dolmen_ports::{
    ClaimId, ClaimRequest, ClaimedJob, ErrorKind, JobId, Lease, NewJob, PortResult, QueueName,
};

use super::claim::Taken;
use super::{claim, enqueue, give_back, micros};
use crate::database::{SqlDatabase, SqlTx};
use crate::driver::Mode;
use crate::statement::{Bind, Value};

/// How often a claim is tried that had to wait too long for those before it.
const MAX_TRIES: u32 = 3;

const CLAIM: &str = "select * from dolmen_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// The ids decide which rows are read, through the primary key: joined with a list, PostgreSQL might compare each active job
/// with each of the list. Only what was lost comes back, which is most often nothing.
const COMPLETE_ALL: &str = "
with over as (
    delete from dolmen_job_claim where id = any($3)
), done as (
    update dolmen_job set state = 'done', attempt = attempt + 1, finished_at = statement_timestamp()
    where id = any($1) and state = 'active'
        and (id, token) in (select * from unnest($1, $2))
    returning id
)
select id from unnest($1) as lease(id) where id not in (select id from done)";

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
    let begin_after = fronts.next().filter(|_| !request.last_chances);
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
    ];
    let mut jobs = fetch(database, claim, &values, request).await?;
    if jobs.is_empty() && !is_full {
        let [.., begin_after] = &mut values;
        *begin_after = None::<serde_json::Value>.into_value();
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
    let is_full = matches!(values.last(), Some(Value::Null(_)));
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
                let taken = Taken::all(claim, &result?)?;
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

/// Completes jobs; returns those whose leases were lost.
pub(super) async fn complete_all(
    database: &SqlDatabase,
    leases: &[Lease],
    over: &[ClaimId],
) -> PortResult<Vec<JobId>> {
    let values = [
        array(leases.iter().map(|lease| lease.job)),
        array(leases.iter().map(|lease| lease.token)),
        array(over.iter()),
    ];
    let mut tx = database.begin(Mode::Single).await?;
    let rows = tx.fetch(COMPLETE_ALL, &values).await;
    give_back(tx).await?;
    rows?.iter().map(|row| row.at(0)).collect()
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

fn array<'a, T: Bind<'a>>(items: impl Iterator<Item = T>) -> Value<'a> {
    Value::Array(T::KIND, items.map(T::into_value).collect())
}
