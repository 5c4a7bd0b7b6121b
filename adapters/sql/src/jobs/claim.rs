//! Taking jobs from the front of their queues.
//!
//! One index holds the ready jobs, by queue, priority, due time and id. A claim first looks at the front of each queue and
//! priority, stepping through the index from one to the next, and then reads on only where something is due. So it costs
//! the same with a million jobs behind the front, of other queues, or of later days.

use std::collections::BinaryHeap;
use std::time::Duration;

use dolmen_ports::{
    ClaimRequest, ClaimedJob, ErrorKind, JobId, Lease, PortResult, QueueName, Scope, TenantId, Timestamp,
    TxDriver,
};

use super::{give_back, micros};
use crate::database::{SqlDatabase, SqlTx};
use crate::driver::Mode;
use crate::statement::{Bind, FromRow, Row, framework_sql};

/// How often a claim is tried that another transaction was in the way of.
const MAX_TRIES: u32 = 3;

/// One statement: the fronts, the due jobs (locked one by one as they are read, those that others hold left out), and
/// the update. `$1` kinds and `$2` queues are joined by commas, which their names cannot hold.
const IN_POSTGRES: &str = "
with recursive front(queue, priority, due_at) as (
    (select queue, priority, due_at from dolmen_job where state = 'ready'
     order by queue, priority, due_at limit 1)
    union all
    select next.queue, next.priority, next.due_at from front cross join lateral (
        select queue, priority, due_at from dolmen_job
        where state = 'ready' and (queue, priority) > (front.queue, front.priority)
        order by queue, priority, due_at limit 1) as next
), due as materialized (
    select job.id from (
        select queue, priority from front
        where due_at <= statement_timestamp() and ($2 = '' or queue = any(string_to_array($2, ',')))
        order by priority, due_at, queue) as front
    cross join lateral (
        select id from dolmen_job
        where state = 'ready' and queue = front.queue and priority = front.priority
            and due_at <= statement_timestamp() and kind = any(string_to_array($1, ','))
        order by due_at, id limit $3 for update skip locked) as job
    limit $3
)
update dolmen_job as job
set state = 'running', attempt = attempt + 1, token = token + 1, worker = $4,
    lease_until = statement_timestamp() + $5 * interval '1 microsecond'
from due where job.id = due.id
returning job.id, token, kind, queue, payload, tenant, attempt, max_attempts, timeout_ms, priority, due_at,
    statement_timestamp() as now";

pub(super) async fn in_postgres(
    database: &SqlDatabase,
    request: &ClaimRequest,
) -> PortResult<Vec<ClaimedJob>> {
    let kinds: Vec<&str> =
        request.kinds.iter().map(String::as_str).filter(|kind| !kind.contains(',')).collect();
    let queues: Vec<&str> = request.queues.iter().map(QueueName::as_str).collect();
    let values = [
        kinds.join(",").into_value(),
        queues.join(",").into_value(),
        request.limit.into_value(),
        request.worker.into_value(),
        micros(request.lease_for).into_value(),
    ];
    let mut tries = 1;
    let rows = loop {
        let mut tx = database.begin(Mode::Single).await?;
        let result = tx.fetch(IN_POSTGRES, &values).await;
        give_back(tx).await?;
        match result {
            // Nothing was claimed. Rare: two claims met on a row that had just come back to the queue.
            Err(error) if error.kind() == ErrorKind::Contention && tries < MAX_TRIES => tries += 1,
            result => break result?,
        }
    };
    in_order(&rows)
}

pub(super) async fn in_sqlite(database: &SqlDatabase, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
    // A look that does not take the one write lock, since a poll most often finds nothing.
    let mut tx = database.begin(Mode::Read).await?;
    let fronts = fronts(&mut tx, &request.queues).await;
    give_back(tx).await?;
    if fronts?.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = database.begin(Mode::Write).await?;
    match claim_in(&mut tx, request).await {
        Ok(jobs) => {
            Box::new(tx).commit().await?;
            Ok(jobs)
        }
        Err(error) => {
            drop(give_back(tx).await);
            Err(error)
        }
    }
}

/// A queue and a priority, and since when the job at their front is due.
pub(super) struct Front {
    pub(super) queue: String,
    pub(super) priority: i32,
    pub(super) due_at: Timestamp,
}

/// Queues and priorities at whose front a job is due.
pub(super) async fn fronts(tx: &mut SqlTx, queues: &[QueueName]) -> PortResult<Vec<Front>> {
    let mut fronts = Vec::new();
    let mut last: Option<(String, i32)> = None;
    while let Some((queue, priority, due_at, due)) = next_front(tx, last.as_ref()).await? {
        let wanted = queues.is_empty() || queues.iter().any(|wanted| wanted.as_str() == queue);
        if due && wanted {
            fronts.push(Front { queue: queue.clone(), priority, due_at });
        }
        last = Some((queue, priority));
    }
    Ok(fronts)
}

/// The front after the last one, and whether its job is due: the next priority of the same queue, or else the next
/// queue. Two statements, because SQLite would walk through all jobs of the last front for `(queue, priority) > (?, ?)`.
async fn next_front(
    tx: &mut SqlTx,
    last: Option<&(String, i32)>,
) -> PortResult<Option<(String, i32, Timestamp, bool)>> {
    let mut rows = Vec::new();
    if let Some((queue, priority)) = last {
        rows = framework_sql!(
            "select queue, priority, due_at, due_at <= {now} as due from dolmen_job
             where state = 'ready' and queue = ? and priority > ?
             order by queue, priority, due_at limit 1",
            queue,
            *priority
        )
        .fetch_in(tx)
        .await?;
    }
    if rows.is_empty() {
        // The empty text stands before every name.
        rows = framework_sql!(
            "select queue, priority, due_at, due_at <= {now} as due from dolmen_job
             where state = 'ready' and queue > ?
             order by queue, priority, due_at limit 1",
            last.map_or("", |(queue, _)| queue)
        )
        .fetch_in(tx)
        .await?;
    }
    rows.first().map(FromRow::from_row).transpose()
}

async fn claim_in(tx: &mut SqlTx, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    // The first of all fronts together; the largest is on top, to be pushed out by a smaller one.
    let mut first: BinaryHeap<(i32, Timestamp, JobId)> = BinaryHeap::new();
    for Front { queue, priority, .. } in fronts(tx, &request.queues).await? {
        let rows = framework_sql!(
            "select due_at, id from dolmen_job
             where state = 'ready' and queue = ? and priority = ? and due_at <= {now} and kind in ({list})
             order by due_at, id limit ?",
            &queue,
            priority,
            request.limit
        )
        .bind_list(&request.kinds)
        .fetch_in(tx)
        .await?;
        for row in &rows {
            let (due_at, id) = FromRow::from_row(row)?;
            first.push((priority, due_at, id));
            if first.len() > limit {
                first.pop();
            }
        }
    }
    let rows = framework_sql!(
        "update dolmen_job
         set state = 'running', attempt = attempt + 1, token = token + 1, worker = ?, lease_until = {now_plus ?}
         where id in ({list})
         returning id, token, kind, queue, payload, tenant, attempt, max_attempts, timeout_ms, priority, due_at,
             {now} as now",
        request.worker,
        micros(request.lease_for)
    )
    .bind_list(first.into_iter().map(|(_, _, id)| id))
    .fetch_in(tx)
    .await?;
    in_order(&rows)
}

/// The claimed jobs as they came to be: a returning update has no order of its own.
fn in_order(rows: &[Row]) -> PortResult<Vec<ClaimedJob>> {
    let mut jobs = rows
        .iter()
        .map(|row| {
            let place: (i32, Timestamp, JobId) = (row.get("priority")?, row.get("due_at")?, row.get("id")?);
            Ok((place, claimed(row)?))
        })
        .collect::<PortResult<Vec<_>>>()?;
    jobs.sort_by_key(|(place, _)| *place);
    Ok(jobs.into_iter().map(|(_, job)| job).collect())
}

pub(super) fn claimed(row: &Row) -> PortResult<ClaimedJob> {
    let scope = Scope::from(row.get::<Option<TenantId>>("tenant")?);
    let lease = Lease::new(row.get("id")?, row.get("token")?);
    let mut job = ClaimedJob::new(lease, row.get("kind")?, row.get("payload")?, scope);
    job.queue = QueueName::parse(&row.get::<String>("queue")?)?;
    job.attempt = row.get("attempt")?;
    job.max_attempts = row.get("max_attempts")?;
    let timeout: i64 = row.get("timeout_ms")?;
    job.timeout = Duration::from_millis(timeout.unsigned_abs());
    job.waited = row.get::<Timestamp>("now")?.since(row.get("due_at")?);
    Ok(job)
}
