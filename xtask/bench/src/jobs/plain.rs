//! Designs by plain statements of one connection for each of two workers, on PostgreSQL: the raw limits.

use std::time::{Duration, Instant};

use dolmen::{BoxError, IdGenerator as _, Uuid, UuidV7Ids};
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow};
use sqlx::{Executor as _, Row as _};
use tokio::task::JoinSet;

use super::Nothing;

const WORKERS: usize = 2;
const BATCH: i64 = 2_000;

/// All that a worker has to know of a job.
const CLAIM: &str = "select *, due_at[cardinality(due_at)]::text as last_due_at
from dolmen_claim($1, $1, '{bench.do_nothing}', '{}', '{}', '{}', false, $2, 30000000, $3, $3 is null)";
/// All tokens are the same here, since no job was claimed before; ids come in ascending order.
const COMPLETE: &str =
    "select dolmen_complete_all($1, $2, '{}', '{}', array[$3], $1[1], $1[cardinality($1)])";

/// The other design: each claim writes each row that it takes. Its table has the same columns and indexes.
const LEASED: &str = "
create table bench_leased_job (like dolmen_job including defaults, lease_until timestamptz);
alter table bench_leased_job add constraint bench_leased_job_pkey primary key (id);
create index bench_leased_front on bench_leased_job (queue, priority, due_at, id) where state = 'ready';
create index bench_leased_lease on bench_leased_job (lease_until) where state = 'running';
create index bench_leased_finished on bench_leased_job (finished_at) where state in ('done', 'discarded');
insert into bench_leased_job select *, null from (
    select id, kind, queue, 'ready' as state, tenant, priority, due_at, attempt, max_attempts, crashes, token, timeout_ms,
        unique_key, unique_states, unique_period, ordering_key, created_at, finished_at, last_error, payload, version from dolmen_job) as job;
delete from dolmen_job;";
const CLAIM_ROWS: &str = "with due as materialized (
    select id from bench_leased_job
    where state = 'ready' and queue = 'default' and priority = 0 and due_at <= statement_timestamp()
    order by due_at, id limit $1 for update skip locked)
update bench_leased_job as job set state = 'running', attempt = attempt + 1, token = token + 1,
    lease_until = statement_timestamp() + interval '30 s'
from due where job.id = due.id returning job.id, token, kind, payload";
const COMPLETE_ROWS: &str = "update bench_leased_job
set state = 'done', finished_at = statement_timestamp(), lease_until = null
where id = any($1) and state = 'running' and (id, token) in (select * from unnest($1::uuid[], $2::bigint[]))";

/// Who writes down what is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Design {
    LeasePerClaim { task_per_job: bool },
    LeasePerJob,
}

impl Design {
    fn done(self) -> &'static str {
        match self {
            Self::LeasePerClaim { .. } => super::ours::DONE,
            Self::LeasePerJob => "select count(*) from bench_leased_job where state = 'done'",
        }
    }
}

/// How long the workers take until they find no job.
pub(super) async fn work_off(url: &str, design: Design, jobs: usize) -> Result<Duration, BoxError> {
    let pool = PgPoolOptions::new().max_connections(4).test_before_acquire(false).connect(url).await?;
    if design == Design::LeasePerJob {
        pool.execute(LEASED).await?;
    }
    super::ours::tidy(url).await?;
    let started = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let pool = pool.clone();
        match design {
            Design::LeasePerClaim { task_per_job } => workers.spawn(lease_per_claim(pool, task_per_job)),
            Design::LeasePerJob => workers.spawn(lease_per_job(pool)),
        };
    }
    while let Some(worked) = workers.join_next().await {
        worked??;
    }
    let taken = started.elapsed();
    let done = sqlx::query_scalar::<_, i64>(design.done()).fetch_one(&pool).await?;
    if usize::try_from(done)? != jobs {
        return Err(format!("{done} of {jobs} jobs are done").into());
    }
    Ok(taken)
}

/// Jobs and tokens of a claim; each payload is read.
fn taken(rows: &[PgRow]) -> Result<(Vec<Uuid>, Vec<i64>), BoxError> {
    let (mut jobs, mut tokens) = (Vec::new(), Vec::new());
    for row in rows {
        jobs.push(row.try_get("id")?);
        tokens.push(row.try_get("token")?);
        let _: Nothing = serde_json::from_str(row.try_get("payload")?)?;
    }
    Ok((jobs, tokens))
}

/// What a claim answers, of which little is needed here.
struct Claimed {
    jobs: Vec<Uuid>,
    tokens: Vec<i64>,
    payloads: Vec<String>,
}

impl Claimed {
    /// Reads all but times.
    fn of(row: &PgRow) -> Result<Self, BoxError> {
        let _: (Vec<String>, Vec<String>) = (row.try_get("kind")?, row.try_get("queue")?);
        let _: (Vec<i64>, Vec<Option<Uuid>>) = (row.try_get("version")?, row.try_get("tenant")?);
        let _: (Vec<i64>, Vec<i64>) = (row.try_get("attempt")?, row.try_get("max_attempts")?);
        let _: (Vec<i64>, Vec<i64>) = (row.try_get("timeout_ms")?, row.try_get("priority")?);
        let _: Vec<bool> = row.try_get("is_head")?;
        Ok(Self {
            jobs: row.try_get("ids")?,
            tokens: row.try_get("token")?,
            payloads: row.try_get("payload")?,
        })
    }
}

async fn lease_per_claim(pool: PgPool, task_per_job: bool) -> Result<(), BoxError> {
    let (mut connection, ids) = (pool.acquire().await?, UuidV7Ids::new());
    let mut fronts: Option<serde_json::Value> = None;
    loop {
        let claim = ids.next();
        let claimed = sqlx::query(CLAIM).bind(claim).bind(BATCH).bind(&fronts);
        let Some(row) = claimed.fetch_optional(&mut *connection).await? else {
            if fronts.take().is_none() {
                return Ok(());
            }
            continue;
        };
        let Claimed { jobs, tokens, payloads } = Claimed::of(&row)?;
        if task_per_job {
            let mut tasks = JoinSet::new();
            for payload in payloads {
                tasks.spawn(async move { serde_json::from_str::<Nothing>(&payload) });
            }
            while let Some(read) = tasks.join_next().await {
                read??;
            }
        } else {
            for payload in payloads {
                let _: Nothing = serde_json::from_str(&payload)?;
            }
        }
        let (due_at, id) = (row.try_get::<String, _>("last_due_at")?, jobs.last());
        fronts = Some(serde_json::json!([{ "queue": "default", "priority": 0, "due_at": due_at, "id": id }]));
        let complete = sqlx::query(COMPLETE).bind(&jobs).bind(tokens.first()).bind(claim);
        let lost = complete.fetch_all(&mut *connection).await?;
        if !lost.is_empty() {
            return Err(format!("{} leases were lost", lost.len()).into());
        }
    }
}

async fn lease_per_job(pool: PgPool) -> Result<(), BoxError> {
    let mut connection = pool.acquire().await?;
    loop {
        let rows = sqlx::query(CLAIM_ROWS).bind(BATCH).fetch_all(&mut *connection).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let (jobs, tokens) = taken(&rows)?;
        sqlx::query(COMPLETE_ROWS).bind(&jobs).bind(&tokens).execute(&mut *connection).await?;
    }
}
