//! Storing jobs, in the transaction of what they follow from.

use dolmen_ports::{
    Dialect, Due, Enqueued, ErrorKind, JobId, NewJob, PortError, PortResult, TenantId, Timestamp,
};

use super::{micros, mysql};
use crate::database::SqlTx;
use crate::row;
use crate::statement::{FromRow, Value, framework_sql};

/// How often a job is stored anew after the job with its key ended in between.
const MAX_TRIES: u32 = 10;

/// Whether a worker can be woken for it.
pub(super) fn is_due(job: &NewJob) -> bool {
    match job.due {
        Due::In(delay) => delay.is_zero(),
        // Whether the instant has come the database's clock decides; who is woken too early finds nothing and waits on.
        Due::Now | Due::At(_) => true,
    }
}

/// Stores jobs that passed their check; the results are in their order.
pub(super) async fn enqueue(tx: &mut SqlTx, jobs: &[NewJob]) -> PortResult<Vec<Enqueued>> {
    let plain = jobs.iter().filter(|job| job.unique_key.is_none());
    if tx.dialect() == Dialect::MySql {
        mysql::insert(tx, plain).await?;
    } else {
        insert(tx, plain).await?;
    }
    let mut enqueued = Vec::with_capacity(jobs.len());
    for job in jobs {
        enqueued.push(match &job.unique_key {
            None => Enqueued::New(job.id),
            Some(key) => insert_unique(tx, job, key).await?,
        });
    }
    Ok(enqueued)
}

/// All in one statement, however many: a round trip costs more than a row.
async fn insert(tx: &mut SqlTx, jobs: impl Iterator<Item = &NewJob>) -> PortResult<()> {
    framework_sql!(
        "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
             due_at, created_at)
         select column1, column2, column3, 'active', column4, column5, column6, column7, column8,
             coalesce(column9, {now_plus column10}), {now}
         from (values {rows}) as job"
    )
    .bind_rows(jobs.map(columns))
    .execute_in(tx)
    .await
    .map(drop)
    .map_err(known)
}

fn columns(job: &NewJob) -> [Value<'_>; 10] {
    let (at, delay) = due(job);
    row![
        job.id,
        &*job.kind,
        job.queue.as_str(),
        job.scope.tenant(),
        i32::from(job.priority),
        job.max_attempts,
        timeout_ms(job),
        &job.payload,
        at,
        delay
    ]
}

/// The instant, or else the delay from now in microseconds.
pub(super) fn due(job: &NewJob) -> (Option<Timestamp>, i64) {
    match job.due {
        Due::Now => (None, 0),
        Due::In(delay) => (None, micros(delay)),
        Due::At(at) => (Some(at), 0),
    }
}

pub(super) fn timeout_ms(job: &NewJob) -> i64 {
    i64::try_from(job.timeout.as_millis()).unwrap_or(i64::MAX)
}

/// The unique index decides, so it holds between processes too: PostgreSQL waits for a transaction that inserts the
/// same key, and inserts when that one rolls back.
async fn insert_unique(tx: &mut SqlTx, job: &NewJob, key: &str) -> PortResult<Enqueued> {
    for _ in 0..MAX_TRIES {
        let inserted = match tx.dialect() {
            Dialect::MySql => mysql::try_insert_unique(tx, job, key).await?,
            _ => try_insert_unique(tx, job, key).await?,
        };
        if inserted == 1 {
            return Ok(Enqueued::New(job.id));
        }
        if let Some(first) = active(tx, &job.kind, job.scope.tenant(), key).await? {
            return Ok(Enqueued::Duplicate(first));
        }
        let same_id = framework_sql!("select 1 from dolmen_job where id = ?", job.id).fetch_in(tx).await?;
        if !same_id.is_empty() {
            return Err(id_is_taken());
        }
    }
    Err(PortError::new(ErrorKind::Contention, "jobs", "enqueue")
        .with_detail("jobs with this unique key kept coming and ending"))
}

async fn try_insert_unique(tx: &mut SqlTx, job: &NewJob, key: &str) -> PortResult<u64> {
    let (at, delay) = due(job);
    framework_sql!(
        "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
             due_at, created_at, unique_key)
         values (?, ?, ?, 'active', ?, ?, ?, ?, ?, coalesce(?, {now_plus ?}), {now}, ?)
         on conflict do nothing",
        job.id,
        &*job.kind,
        job.queue.as_str(),
        job.scope.tenant(),
        i32::from(job.priority),
        job.max_attempts,
        timeout_ms(job),
        &job.payload,
        at,
        delay,
        key
    )
    .execute_in(tx)
    .await
}

/// The job that holds a unique key.
pub(super) async fn active(
    tx: &mut SqlTx,
    kind: &str,
    tenant: Option<TenantId>,
    key: &str,
) -> PortResult<Option<JobId>> {
    let rows = framework_sql!(
        "select id from dolmen_job
         where unique_key = ? and kind = ? and (tenant = ? or (tenant is null and ? is null))
           and state = 'active'",
        key,
        kind,
        tenant,
        tenant
    )
    .fetch_in(tx)
    .await?;
    rows.first().map(|row| <(JobId,)>::from_row(row).map(|(id,)| id)).transpose()
}

pub(super) fn known(error: PortError) -> PortError {
    if error.kind() != ErrorKind::AlreadyExists {
        return error;
    }
    id_is_taken().with_source(error)
}

fn id_is_taken() -> PortError {
    PortError::new(ErrorKind::AlreadyExists, "jobs", "enqueue")
        .with_detail("a job with this id was enqueued before; make an id per job")
}
