//! F23: transactions that are held for long keep PostgreSQL from removing dead rows, while jobs come and go.

use std::time::{Duration, Instant};

use dolmen::ports::{ClaimRequest, IdGenerator as _, KnownKind, NewJob, WorkerId};
use dolmen::{BoxError, JobId, JobQueue as _, QueueName, Scope, UuidV7Ids, WriteTx};
use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions};
use serde_json::{Value, json};
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

const KIND: &str = "chaos.pass";
/// Jobs a second.
const RATE: u32 = 800;
/// Tasks that enqueue them, each job in a transaction of its own.
const TASKS: u32 = 8;
/// Transactions that overlap, so that there is always an old one.
const SESSIONS: u32 = 3;
/// How long each is held, at most.
const LONGEST: Duration = Duration::from_mins(2);
/// What a flood before has left dead, and nobody can remove.
const DEAD: &str = "
insert into dolmen_job (id, kind, queue, state, priority, max_attempts, timeout_ms, payload, due_at, created_at)
select gen_random_uuid(), 'chaos.pass', 'default', 'active', 0, 10, 300000, '{}', now(), now() from generate_series(1, 200000);
delete from dolmen_job;";

pub(super) async fn play(url: &str, seconds: u64, from_the_front: bool) -> Result<Value, BoxError> {
    let sql = SqlDatabase::connect(url, SqlOptions::new().with_max_connections(TASKS + 4)).await?;
    let queue = SqlJobQueue::new(&sql);
    let whole = Duration::from_secs(seconds);
    let hold_for = LONGEST.min(whole / 3);
    let mut sessions = hold(url, hold_for).await?;
    // And one for all the time, so that the dead rows stay in the way.
    let mut first = PgConnection::connect(url).await?;
    begin(&mut first).await?;
    let mut flooded = PgConnection::connect(url).await?;
    sqlx::raw_sql(DEAD).execute(&mut flooded).await?;
    let mut stream = stream(&sql, whole);
    let (mut claims, mut enqueued, mut claimed, mut named) = (Vec::new(), 0, 0, 0);
    let worker = WorkerId::new(UuidV7Ids::new().next());
    let request =
        ClaimRequest::new(worker, vec![KnownKind::new(KIND.to_owned(), 1)], 64, Duration::from_secs(30));
    let (started, mut next_look) = (Instant::now(), Duration::ZERO);
    while !stream.is_empty() || claimed < enqueued {
        if from_the_front {
            // No queue is called so; but what lets one go on makes the next claim begin at the very front.
            let resume = async |tx: &mut WriteTx| queue.resume(tx, &QueueName::new("chaos_unknown")).await;
            sql.database().system().write(resume).await?;
        }
        let before = Instant::now();
        let jobs = queue.claim(&request).await?;
        claims.push(before.elapsed());
        let leases: Vec<_> = jobs.iter().map(|job| job.lease).collect();
        if leases.is_empty() {
            queue.wait(&[], Duration::from_millis(50)).await;
        }
        claimed += leases.len() - queue.complete_all(&leases).await?.len();
        while let Some(ended) = stream.try_join_next() {
            enqueued += ended??;
        }
        if started.elapsed() >= next_look {
            next_look += Duration::from_secs(1);
            let least = started.elapsed().min(hold_for) / 2;
            let oldest = queue.rescue(100).await?.oldest_snapshot;
            named += u64::from(oldest.is_some_and(|oldest| oldest.age >= least));
        }
    }
    // One that ended before was no old transaction.
    let ended_early = sessions.try_join_next().is_some();
    sessions.shutdown().await;
    first.execute("commit").await?;
    claims.sort_unstable();
    let p99 = claims.get(claims.len() * 99 / 100).copied().unwrap_or_default();
    Ok(json!({
        "seconds": started.elapsed().as_secs(),
        "enqueued": enqueued,
        "claimed": claimed,
        "claims": claims.len(),
        "claim_p99_us": u64::try_from(p99.as_micros())?,
        "named": named,
        "ended_early": u64::from(ended_early),
    }))
}

/// Each holds its transaction so long, and begins the next one at once.
async fn hold(url: &str, time: Duration) -> Result<JoinSet<Result<(), BoxError>>, BoxError> {
    let mut sessions = JoinSet::new();
    for session in 0..SESSIONS {
        let mut connection = PgConnection::connect(url).await?;
        begin(&mut connection).await?;
        // The first ones are of different length; then they begin in turns.
        let first = time * (SESSIONS - session) / SESSIONS;
        sessions.spawn(async move {
            sleep(first).await;
            loop {
                connection.execute("commit").await?;
                begin(&mut connection).await?;
                sleep(time).await;
            }
        });
    }
    Ok(sessions)
}

/// The snapshot is taken by the first statement.
async fn begin(connection: &mut PgConnection) -> Result<(), BoxError> {
    connection.execute("begin isolation level repeatable read").await?;
    connection.execute("select 1 from dolmen_job limit 1").await?;
    Ok(())
}

/// Enqueues jobs at a constant rate for so long; each task ends with how many it has enqueued.
fn stream(sql: &SqlDatabase, whole: Duration) -> JoinSet<Result<usize, BoxError>> {
    let (database, queue) = (sql.database(), SqlJobQueue::new(sql));
    let mut tasks = JoinSet::new();
    for _ in 0..TASKS {
        let (database, queue) = (database.clone(), queue.clone());
        tasks.spawn(async move {
            let (ids, started, mut enqueued) = (UuidV7Ids::new(), Instant::now(), 0);
            let mut turn = interval(Duration::from_secs(1) * TASKS / RATE);
            while started.elapsed() < whole {
                turn.tick().await;
                let job = NewJob::new(JobId::new(ids.next()), KIND, "{}", Scope::System);
                database.system().write(async |tx| queue.enqueue(tx, vec![job.clone()]).await).await?;
                enqueued += 1;
            }
            Ok(enqueued)
        });
    }
    tasks
}
