//! What a person sees of the queue.

use std::cmp::Reverse;

use dolmen_ports::{
    Dialect, JobFilter, JobId, JobRecord, JobState, KindStats, PortResult, QueueName, ReadTx, Scope,
    Timestamp,
};

use super::{done, enqueue, settle};
use crate::database::SqlTx;
use crate::statement::{FromRow, Row, framework_sql};

const DEFAULT_LIMIT: u32 = 50;

/// A job as a row tells of it.
pub(super) struct Record(JobRecord);

impl FromRow for Record {
    fn from_row(row: &Row) -> PortResult<Self> {
        let scope = Scope::from(row.get::<Option<_>>("tenant")?);
        let mut record = JobRecord::new(
            row.get("id")?,
            row.get("kind")?,
            row.get("payload")?,
            scope,
            row.get("created_at")?,
        );
        record.queue = QueueName::parse(&row.get::<String>("queue")?)?;
        record.state = settle::state(row)?;
        record.attempt = row.get("attempt")?;
        record.max_attempts = row.get("max_attempts")?;
        record.crashes = row.get("crashes")?;
        record.due_at = row.get("due_at")?;
        record.finished_at = row.get("finished_at")?;
        record.last_error = row.get("last_error")?;
        record.priority = i16::try_from(row.get::<i32>("priority")?).unwrap_or(0);
        record.unique_key = row.get("unique_key")?;
        let line: Option<String> = row.get("ordering_key")?;
        // Before the slash stands whose line it is.
        record.ordering_key = line.and_then(|line| line.split_once('/').map(|(_, key)| key.to_owned()));
        record.version = row.get("version")?;
        Ok(Self(record))
    }
}

pub(super) async fn find(tx: &mut ReadTx, job: JobId) -> PortResult<Option<JobRecord>> {
    let record: Option<Record> = framework_sql!(
        "select id, kind, queue, tenant, max_attempts, crashes, due_at, created_at, finished_at, last_error, payload, priority, unique_key, ordering_key, version,
             case when state <> 'active' then state when is_held then 'running' else 'ready' end as state,
             case when state = 'active' and is_held then attempt + 1 else attempt end as attempt
         from (
             select id, kind, queue, state, tenant, attempt, max_attempts, crashes, due_at, created_at,
                 finished_at, last_error, payload, priority, unique_key, ordering_key, version,
                 (id, token) in (select job, token from dolmen_job_running) as is_held
             from dolmen_job where id = ?) as job",
        job
    )
    .fetch_optional(tx)
    .await?;
    let record = match (record, tx.driver_mut::<SqlTx>()?) {
        (None, driver) if driver.dialect() == Dialect::Postgres => done::find(driver, job).await?,
        (record, _) => record,
    };
    Ok(record.map(|record| record.0))
}

pub(super) async fn list(tx: &mut ReadTx, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
    let limit = if filter.limit == 0 { DEFAULT_LIMIT } else { filter.limit };
    let (kind, before) = (filter.kind.as_deref(), filter.before);
    let line = filter.line.as_ref().map(|(scope, key)| enqueue::line(*scope, key));
    let line = line.as_deref();
    let (queue, tenant) = (filter.queue.as_ref().map(QueueName::as_str), filter.tenant);
    // Every text has the empty one in it.
    let reason = filter.reason.as_deref().filter(|text| !text.is_empty());
    let all = [JobState::Ready, JobState::Running, JobState::Done, JobState::Dead, JobState::Discarded];
    let states = if filter.states.is_empty() { &all[..] } else { &filter.states[..] };
    let is_active = |state: &JobState| matches!(state, JobState::Ready | JobState::Running);
    let statement = if filter.states == [JobState::Dead] {
        // Said in so many words, for the index of dead letters: they are few among many finished jobs.
        framework_sql!(
            "select id, kind, queue, state, tenant, attempt, max_attempts, crashes, due_at, created_at, finished_at,
                 last_error, payload, priority, unique_key, ordering_key, version
             from dolmen_job
             where state = 'dead' and (? is null or kind = ?) and (? is null or queue = ?) and (? is null or tenant = ?) and (? is null or ordering_key = ?)
                 and (? is null or replace(last_error, ?, '') <> last_error) and (? is null or id < ?)
             order by id desc limit ?",
            kind,
            kind,
            queue,
            queue,
            tenant,
            tenant,
            line,
            line,
            reason,
            reason,
            before,
            before,
            limit
        )
    } else {
        let (some_active, some_ended) = (states.iter().any(is_active), !states.iter().all(is_active));
        framework_sql!(
            "select id, kind, queue, tenant, max_attempts, crashes, due_at, created_at, finished_at, last_error, payload, priority, unique_key, ordering_key, version,
                 seen as state, case when seen = 'running' then attempt + 1 else attempt end as attempt
             from (
                 select id, kind, queue, state, tenant, attempt, max_attempts, crashes, due_at, created_at,
                 finished_at, last_error, payload, priority, unique_key, ordering_key, version,
                 case when state <> 'active' then state
                     when (id, token) in (select job, token from dolmen_job_running) then 'running'
                     else 'ready' end as seen
                 from dolmen_job
                 where (? is null or kind = ?) and (? is null or queue = ?) and (? is null or tenant = ?) and (? is null or ordering_key = ?)
                     and (? is null or replace(last_error, ?, '') <> last_error) and (? is null or id < ?)
                     and ((? and state = 'active') or (? and state <> 'active'))) as job
             where seen in ({list})
             order by id desc limit ?",
            kind,
            kind,
            queue,
            queue,
            tenant,
            tenant,
            line,
            line,
            reason,
            reason,
            before,
            before,
            some_active,
            some_ended,
            limit
        )
        .bind_list(states.iter().map(|state| state.name()))
    };
    let mut records: Vec<Record> = statement.fetch_all(tx).await?;
    let driver: &mut SqlTx = tx.driver_mut()?;
    if driver.dialect() == Dialect::Postgres && states.contains(&JobState::Done) {
        records.extend(done::list(driver, filter, limit).await?);
        records.sort_by_key(|record| Reverse(record.0.id));
        // One that was completed between the two looks was seen by both.
        records.dedup_by_key(|record| record.0.id);
        records.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    }
    Ok(records.into_iter().map(|record| record.0).collect())
}

struct Stats(KindStats);

impl FromRow for Stats {
    fn from_row(row: &Row) -> PortResult<Self> {
        let count = |column: &str| row.get::<i64>(column).map(i64::unsigned_abs);
        let mut stats =
            KindStats::new(QueueName::parse(&row.get::<String>("queue")?)?, row.get::<String>("kind")?);
        stats.ready = count("ready")?;
        stats.scheduled = count("scheduled")?;
        stats.running = count("running")?;
        stats.dead = count("dead")?;
        let now: Timestamp = row.get("now")?;
        let waited = row.get::<Option<Timestamp>>("oldest")?.map(|oldest| now.since(oldest).as_millis());
        stats.oldest_ready_ms = u64::try_from(waited.unwrap_or(0)).unwrap_or(u64::MAX);
        Ok(Self(stats))
    }
}

/// Counts through the index of each state: finished jobs, which are the most, are not looked at.
pub(super) async fn stats(tx: &mut ReadTx) -> PortResult<Vec<KindStats>> {
    let stats: Vec<Stats> = framework_sql!(
        "select queue, kind, {int sum(case when state = 'active' and is_due and not is_held then 1 else 0 end)} as ready,
             {int sum(case when state = 'active' and not is_due and not is_held then 1 else 0 end)} as scheduled,
             {int sum(case when state = 'active' and is_held then 1 else 0 end)} as running,
             {int sum(case when state = 'dead' then 1 else 0 end)} as dead,
             min(case when state = 'active' and is_due and not is_held then due_at end) as oldest, {now} as now
         from (
             select queue, kind, state, due_at, due_at <= {now} as is_due,
                 (id, token) in (select job, token from dolmen_job_running) as is_held
             from dolmen_job where state = 'active'
             union all select queue, kind, state, due_at, due_at <= {now}, {now} < {now} from dolmen_job where state = 'dead'
         ) as job
         group by queue, kind order by queue, kind"
    )
    .fetch_all(tx)
    .await?;
    Ok(stats.into_iter().map(|stats| stats.0).collect())
}
