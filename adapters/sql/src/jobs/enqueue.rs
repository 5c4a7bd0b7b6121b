//! Storing jobs, in the transaction of what they follow from.

use dolmen_ports::{
    Dialect, Due, Enqueued, ErrorKind, JobId, NewJob, PortError, PortResult, Scope, TenantId, Timestamp,
    Unique,
};

use super::{micros, mysql, postgres};
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
    // Those of a line are stored in their order: of a batch in which some of them are unique, each by itself.
    let in_turn = jobs.iter().any(|job| job.unique.is_some() && job.ordering_key.is_some());
    let is_plain = |job: &&NewJob| job.unique.is_none() && !(in_turn && job.ordering_key.is_some());
    let plain: Vec<&NewJob> = jobs.iter().filter(is_plain).collect();
    match plain[..] {
        [] => {}
        [job] => drop(insert_one(tx, job, None).await.map_err(known)?),
        // All in one statement, however many: a round trip costs more than a row.
        _ => match tx.dialect() {
            Dialect::Postgres => postgres::insert(tx, &plain).await?,
            Dialect::MySql => mysql::insert(tx, &plain).await?,
            _ => insert(tx, &plain).await?,
        },
    }
    let mut enqueued = Vec::with_capacity(jobs.len());
    for job in jobs {
        enqueued.push(match &job.unique {
            None if is_plain(&job) => Enqueued::New(job.id),
            None => {
                insert_one(tx, job, None).await.map_err(known)?;
                Enqueued::New(job.id)
            }
            Some(unique) => {
                let key = Key::of(tx, unique).await?;
                insert_unique(tx, job, &key).await?
            }
        });
    }
    Ok(enqueued)
}

async fn insert(tx: &mut SqlTx, jobs: &[&NewJob]) -> PortResult<()> {
    framework_sql!(
        "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload, version,
             ordering_key, due_at, created_at)
         select column1, column2, column3, 'active', column4, column5, column6, column7, column8, column9, column10,
             coalesce(column11, {now_plus column12}), {now}
         from (values {rows}) as job"
    )
    .bind_rows(jobs.iter().map(|job| columns(job)))
    .execute_in(tx)
    .await
    .map(drop)
    .map_err(known)
}

fn columns(job: &NewJob) -> [Value<'_>; 12] {
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
        job.version,
        line_of(job),
        at,
        delay
    ]
}

/// The line that a job stands in: its ordering key, apart from those of other tenants.
pub(super) fn line_of(job: &NewJob) -> Option<String> {
    job.ordering_key.as_deref().map(|key| line(job.scope, key))
}

pub(super) fn line(scope: Scope, key: &str) -> String {
    let tenant = scope.tenant().map(|tenant| tenant.to_string());
    format!("{}/{key}", tenant.as_deref().unwrap_or("system"))
}

/// A unique key as it is stored.
pub(super) struct Key<'u> {
    text: &'u str,
    states: i32,
    period: i64,
}

impl<'u> Key<'u> {
    async fn of(tx: &mut SqlTx, unique: &'u Unique) -> PortResult<Self> {
        let states = 1 + 2 * i32::from(unique.even_done) + 4 * i32::from(unique.even_dead);
        let period = match unique.per {
            None => 0,
            Some(per) => {
                let rows = framework_sql!("select {now} as now").fetch_in(tx).await?;
                let now: Option<Timestamp> = rows.first().map(|row| row.get("now")).transpose()?;
                now.map_or(0, |now| now.as_unix_micros().div_euclid(micros(per).max(1)))
            }
        };
        Ok(Self { text: &unique.key, states, period })
    }

    /// The key of a stored job.
    pub(super) fn stored(text: &'u str, period: i64) -> Self {
        Self { text, states: 1, period }
    }
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
async fn insert_unique(tx: &mut SqlTx, job: &NewJob, key: &Key<'_>) -> PortResult<Enqueued> {
    for _ in 0..MAX_TRIES {
        if insert_one(tx, job, Some(key)).await? == 1 {
            return Ok(Enqueued::New(job.id));
        }
        if let Some(first) = holder(tx, &job.kind, job.scope.tenant(), key).await? {
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

/// Stores one job; zero when another one holds its key.
async fn insert_one(tx: &mut SqlTx, job: &NewJob, key: Option<&Key<'_>>) -> PortResult<u64> {
    let (at, delay) = due(job);
    macro_rules! insert {
        ($text:literal) => {
            framework_sql!(
                $text,
                job.id,
                &*job.kind,
                job.queue.as_str(),
                job.scope.tenant(),
                i32::from(job.priority),
                job.max_attempts,
                timeout_ms(job),
                &job.payload,
                job.version,
                line_of(job),
                key.map(|key| key.text),
                key.map_or(1, |key| key.states),
                key.map_or(0, |key| key.period),
                at,
                delay
            )
        };
    }
    // A conflict of any key counts, also one of the id; the caller looks which one it was.
    let statement = match (key, tx.dialect()) {
        (None, _) => insert!(
            "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
                 version, ordering_key, unique_key, unique_states, unique_period, due_at, created_at)
             values (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, {now_plus ?}), {now})"
        ),
        (Some(_), Dialect::MySql) => insert!(
            "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
                 version, ordering_key, unique_key, unique_states, unique_period, due_at, created_at)
             values (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, {now_plus ?}), {now})
             {ignore_conflict unique_key}"
        ),
        (Some(_), _) => insert!(
            "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload,
                 version, ordering_key, unique_key, unique_states, unique_period, due_at, created_at)
             values (?, ?, ?, 'active', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, coalesce(?, {now_plus ?}), {now})
             on conflict do nothing"
        ),
    };
    statement.execute_in(tx).await
}

/// The job that holds a unique key.
pub(super) async fn holder(
    tx: &mut SqlTx,
    kind: &str,
    tenant: Option<TenantId>,
    key: &Key<'_>,
) -> PortResult<Option<JobId>> {
    let rows = framework_sql!(
        "select id from dolmen_job
         where unique_key = ? and kind = ? and unique_period = ? and (tenant = ? or (tenant is null and ? is null))
           and (unique_states & case state when 'active' then 1 when 'done' then 2 when 'dead' then 4 else 0 end) <> 0",
        key.text,
        kind,
        key.period,
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
