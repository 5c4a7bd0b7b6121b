//! Designs by plain statements of one connection for each of two workers, on PostgreSQL: the raw limits.

use async_trait::async_trait;
use dolmen::{BoxError, IdGenerator as _, Uuid, UuidV7Ids};
use dolmen_sql::SqlDatabase;
use sqlx::postgres::{PgPool, PgPoolOptions, PgRow};
use sqlx::{Executor as _, Row as _};
use tokio::task::JoinSet;

use super::{Nothing, Side};

const WORKERS: usize = 2;
const BATCH: i64 = 1_000;

const CLAIM: &str = "select id, token, kind, payload, due_at::text as due_at from dolmen_claim($1, $1, 'bench.do_nothing', '', '', '', false, $2, 30000000, $3)";
const COMPLETE: &str = "with over as (delete from dolmen_job_claim where id = $3)
update dolmen_job set state = 'done', attempt = attempt + 1, finished_at = statement_timestamp()
where id = any($1) and state = 'active' and (id, token) in (select * from unnest($1::uuid[], $2::bigint[]))";

/// The other design: each claim writes each row that it takes. Its table has the same columns and indexes.
const LEASED: &str = "
create table if not exists bench_leased_job (like dolmen_job including defaults, lease_until timestamptz);
truncate bench_leased_job;
alter table bench_leased_job drop constraint if exists bench_leased_job_pkey;
alter table bench_leased_job add constraint bench_leased_job_pkey primary key (id);
create index if not exists bench_leased_front on bench_leased_job (queue, priority, due_at, id) where state = 'ready';
create index if not exists bench_leased_lease on bench_leased_job (lease_until) where state = 'running';
create index if not exists bench_leased_finished on bench_leased_job (finished_at) where state in ('done', 'discarded');
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

/// The table of jobs.
#[derive(Clone)]
pub(super) struct Queue {
    /// Nothing on databases that the raw limit is not measured on.
    pool: Option<PgPool>,
}

impl Queue {
    pub(super) async fn connect(url: &str) -> Result<Self, BoxError> {
        if !url.starts_with("postgres") {
            return Ok(Self { pool: None });
        }
        let pool = PgPoolOptions::new().max_connections(4).test_before_acquire(false);
        Ok(Self { pool: Some(pool.connect(url).await?) })
    }

    /// Leaves nothing but so many jobs that wait.
    pub(super) async fn fill(&self, sql: &SqlDatabase, jobs: usize) -> Result<(), BoxError> {
        let mut tx = sql.database().system().begin().await?;
        dolmen_sql::statement!("dolmen", "delete from dolmen_job").execute(&mut tx).await?;
        tx.commit().await?;
        let module = dolmen::InlineModule::new("bench", |registrar| {
            registrar.job(async |_: Nothing, _: dolmen::JobContext| Ok::<_, dolmen::JobError>(()));
        });
        let ports = dolmen::AppPorts::from(sql.stores());
        drop(dolmen::App::builder(ports.clone()).module(module).build());
        let numbers: Vec<usize> = (0..jobs).collect();
        for chunk in numbers.chunks(1_000) {
            let work: Vec<Nothing> = chunk
                .iter()
                .map(|number| Nothing { order: "01234567890123456789".to_owned(), number: *number })
                .collect();
            let database = sql.database();
            database.system().write(async |tx| ports.jobs().enqueue_all(tx, &work).await).await?;
        }
        Ok(())
    }
}

/// Both designs, where they are measured.
pub(super) fn sides(queue: &Queue) -> Vec<Plain> {
    let designs = [Design::LeasePerClaim, Design::LeasePerJob];
    queue.pool.iter().flat_map(|pool| designs.map(|design| Plain { pool: pool.clone(), design })).collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Design {
    LeasePerClaim,
    LeasePerJob,
}

pub(super) struct Plain {
    pool: PgPool,
    design: Design,
}

#[async_trait]
impl Side for Plain {
    fn name(&self) -> &'static str {
        match self.design {
            Design::LeasePerClaim => "plain, a lease per claim",
            Design::LeasePerJob => "plain, a lease per job",
        }
    }

    async fn set_up(&self) -> Result<(), BoxError> {
        if self.design == Design::LeasePerJob {
            self.pool.execute(LEASED).await?;
        }
        self.pool.execute("vacuum analyze").await?;
        self.pool.execute("checkpoint").await?;
        Ok(())
    }

    async fn work_off(&self) -> Result<(), BoxError> {
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            let pool = self.pool.clone();
            match self.design {
                Design::LeasePerClaim => workers.spawn(lease_per_claim(pool)),
                Design::LeasePerJob => workers.spawn(lease_per_job(pool)),
            };
        }
        while let Some(worked) = workers.join_next().await {
            worked??;
        }
        Ok(())
    }

    async fn done(&self) -> Result<usize, BoxError> {
        let table = match self.design {
            Design::LeasePerClaim => "select count(*) from dolmen_job where state = 'done'",
            Design::LeasePerJob => "select count(*) from bench_leased_job where state = 'done'",
        };
        let done = sqlx::query_scalar::<_, i64>(table).fetch_one(&self.pool).await?;
        Ok(usize::try_from(done)?)
    }
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

async fn lease_per_claim(pool: PgPool) -> Result<(), BoxError> {
    let (mut connection, ids) = (pool.acquire().await?, UuidV7Ids::new());
    let mut fronts: Option<serde_json::Value> = None;
    loop {
        let claim = ids.next();
        let rows =
            sqlx::query(CLAIM).bind(claim).bind(BATCH).bind(&fronts).fetch_all(&mut *connection).await?;
        let Some(last) = rows.last() else {
            if fronts.take().is_none() {
                return Ok(());
            }
            continue;
        };
        let (due_at, id) = (last.try_get::<String, _>("due_at")?, last.try_get::<Uuid, _>("id")?);
        fronts = Some(serde_json::json!([{ "queue": "default", "priority": 0, "due_at": due_at, "id": id }]));
        let (jobs, tokens) = taken(&rows)?;
        sqlx::query(COMPLETE).bind(&jobs).bind(&tokens).bind(claim).execute(&mut *connection).await?;
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
