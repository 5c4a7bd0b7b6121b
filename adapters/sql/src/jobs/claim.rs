//! Taking jobs from the front of their queues.
//!
//! One index holds the active jobs, by queue, priority, due time and id. A claim first looks at the front of each queue and
//! priority, stepping through the index from one to the next, and then reads on only where something is due. So it costs
//! the same with a million jobs behind the front, of other queues, or of later days. On PostgreSQL a function of the
//! database does the same.

use std::time::Duration;

use dolmen_ports::{
    ClaimId, ClaimRequest, ClaimedJob, Dialect, JobId, Lease, PortResult, QueueName, Scope, TenantId,
    Timestamp,
};
use serde_json::{Value as Json, json};

use super::in_steps::in_transaction;
use super::{give_back, look_mode, micros};
use crate::database::{SqlDatabase, SqlTx};
use crate::row;
use crate::statement::{FromRow, Row, framework_sql};

/// On the MySQL family the index is named, because the statistics of a table that fills and empties lead the optimizer
/// astray. Kinds are joined by commas, which their names cannot hold.
const DUE_IN_MYSQL: &str = "
select id, token, kind, queue, payload, version, tenant, attempt, max_attempts, timeout_ms, priority, due_at,
    utc_timestamp(6) as now
from dolmen_job as waiting force index (dolmen_job_front)
where state = 'active' and queue = ? and priority = ? and due_at <= utc_timestamp(6) and crashes < 2
    and find_in_set(kind, ?) and (version = 1 or find_in_set(concat(kind, ' ', version), ?))
    and (id, token) not in (select job, token from dolmen_job_running)
    and (ordering_key is null or not exists (select 1 from dolmen_job_behind as behind where behind.id = waiting.id))
order by due_at, id limit ?";

/// Of the jobs whose last chance it is, so many are looked at for one that the worker may take.
const LAST_CHANCES: u32 = 100;

/// A queue and a priority at whose front a job is due.
struct Front {
    queue: String,
    priority: i32,
}

pub(super) async fn claim(
    database: &SqlDatabase,
    claim: ClaimId,
    request: &ClaimRequest,
) -> PortResult<Vec<ClaimedJob>> {
    // A look that locks nothing, since a poll most often finds nothing.
    let mut tx = database.begin(look_mode(database)).await?;
    let found = due(&mut tx, request, 1).await;
    give_back(tx).await?;
    if found?.is_empty() {
        return Ok(Vec::new());
    }
    in_transaction!(database, tx => claim_in(&mut tx, claim, request))
}

async fn claim_in(tx: &mut SqlTx, claim: ClaimId, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
    // SQLite has one writer; here claims take turns, so that each sees what those before it have taken.
    if tx.dialect() == Dialect::MySql {
        framework_sql!("select id from dolmen_job_turn where id = 1 {for_update}").fetch_in(tx).await?;
    }
    let rows = due(tx, request, request.limit).await?;
    let mut jobs = in_order(claim, &rows)?;
    jobs.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
    if jobs.is_empty() {
        return Ok(jobs);
    }
    let held = jobs.iter().map(|job| (job.lease.job.as_uuid().simple().to_string(), job.lease.token));
    framework_sql!(
        "insert into dolmen_job_claim (id, worker, lease_until, jobs) values (?, ?, {now_plus ?}, ?)",
        claim,
        request.worker,
        micros(request.lease_for),
        held.map(|(job, token)| json!([job, token])).collect::<Json>().to_string()
    )
    .execute_in(tx)
    .await?;
    Ok(jobs)
}

/// The first due jobs of each front that no claim holds, up to `limit` of each.
async fn due(tx: &mut SqlTx, request: &ClaimRequest, limit: u32) -> PortResult<Vec<Row>> {
    if request.last_chances {
        return last_chances(tx, request).await;
    }
    let (kinds, newer) = (known_kinds(request), newer_versions(request));
    let mut due = Vec::new();
    for Front { queue, priority } in fronts(tx, request).await? {
        if tx.dialect() == Dialect::MySql {
            let values = row![&queue, priority, &kinds, &newer, i64::from(limit)];
            due.extend(tx.fetch(DUE_IN_MYSQL, &values).await?);
            continue;
        }
        let rows = framework_sql!(
            "select id, token, kind, queue, payload, version, tenant, attempt, max_attempts, timeout_ms, priority, due_at,
                 {now} as now
             from dolmen_job as waiting
             where state = 'active' and queue = ? and priority = ? and due_at <= {now} and crashes < 2 and kind in ({list})
                 and (version = 1 or instr(?, concat(',', kind, ' ', version, ',')) > 0)
                 and (id, token) not in (select job, token from dolmen_job_running)
                 and (ordering_key is null or not exists (select 1 from dolmen_job_behind as behind where behind.id = waiting.id))
             order by due_at, id limit ?",
            &queue,
            priority,
            format!(",{newer},"),
            limit
        );
        due.extend(rows.bind_list(request.kinds.iter().map(|known| known.kind.as_str())).fetch_in(tx).await?);
    }
    Ok(due)
}

/// The same among the few that a claim for last chances takes.
async fn last_chances(tx: &mut SqlTx, request: &ClaimRequest) -> PortResult<Vec<Row>> {
    let rows = framework_sql!(
        "select id, token, kind, queue, payload, version, tenant, attempt, max_attempts, timeout_ms, priority, due_at,
             {now} as now
         from dolmen_job as waiting
         where crashes >= 2 and state = 'active' and due_at <= {now} and kind in ({list})
             and (version = 1 or instr(?, concat(',', kind, ' ', version, ',')) > 0)
             and queue not in (select queue from dolmen_job_paused)
             and (id, token) not in (select job, token from dolmen_job_running)
             and (ordering_key is null or not exists (select 1 from dolmen_job_behind as behind where behind.id = waiting.id))
         order by priority, due_at, id limit ?",
        format!(",{},", newer_versions(request)),
        LAST_CHANCES
    );
    let rows = rows.bind_list(request.kinds.iter().map(|known| known.kind.as_str())).fetch_in(tx).await?;
    let mut wanted = Vec::new();
    for row in rows {
        if request.wants(&QueueName::parse(&row.get::<String>("queue")?)?) {
            wanted.push(row);
        }
    }
    Ok(wanted)
}

/// The kinds, joined by commas; a name with a comma is none.
pub(super) fn known_kinds(request: &ClaimRequest) -> String {
    let kinds = request.kinds.iter().map(|known| known.kind.as_str()).filter(|kind| !kind.contains(','));
    kinds.collect::<Vec<_>>().join(",")
}

/// The known versions above the first, as `<kind> <version>`, joined by commas.
pub(super) fn newer_versions(request: &ClaimRequest) -> String {
    let known = request.kinds.iter().filter(|known| !known.kind.contains(','));
    let newer =
        known.flat_map(|known| (2..=known.version).map(move |version| format!("{} {version}", known.kind)));
    newer.collect::<Vec<_>>().join(",")
}

/// Queues and priorities at whose front a job is due, whether a claim holds it or not, unless they are paused.
async fn fronts(tx: &mut SqlTx, request: &ClaimRequest) -> PortResult<Vec<Front>> {
    let mut fronts = Vec::new();
    let mut last: Option<(String, i32)> = None;
    while let Some((queue, priority, is_due)) = next_front(tx, last.as_ref()).await? {
        if is_due && request.wants(&QueueName::parse(&queue)?) {
            fronts.push(Front { queue: queue.clone(), priority });
        }
        last = Some((queue, priority));
    }
    Ok(fronts)
}

/// The front after the last one, and whether its job is due: the next priority of the same queue, or else the next
/// queue. Two statements, because SQLite would walk through all jobs of the last front for `(queue, priority) > (?, ?)`.
async fn next_front(tx: &mut SqlTx, last: Option<&(String, i32)>) -> PortResult<Option<(String, i32, bool)>> {
    let mut rows = Vec::new();
    if let Some((queue, priority)) = last {
        rows = framework_sql!(
            "select queue, priority, due_at <= {now} and queue not in (select queue from dolmen_job_paused) as is_due from dolmen_job
             where state = 'active' and queue = ? and priority > ?
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
            "select queue, priority, due_at <= {now} and queue not in (select queue from dolmen_job_paused) as is_due from dolmen_job
             where state = 'active' and queue > ?
             order by queue, priority, due_at limit 1",
            last.map_or("", |(queue, _)| queue)
        )
        .fetch_in(tx)
        .await?;
    }
    rows.first().map(FromRow::from_row).transpose()
}

/// The claimed jobs: by priority, due time and id.
pub(super) fn in_order(claim: ClaimId, rows: &[Row]) -> PortResult<Vec<ClaimedJob>> {
    let mut jobs = rows
        .iter()
        .map(|row| {
            let place: (i32, Timestamp, JobId) = (row.get("priority")?, row.get("due_at")?, row.get("id")?);
            Ok((place, claimed(claim, row)?))
        })
        .collect::<PortResult<Vec<_>>>()?;
    jobs.sort_by_key(|(place, _)| *place);
    Ok(jobs.into_iter().map(|(_, job)| job).collect())
}

fn claimed(claim: ClaimId, row: &Row) -> PortResult<ClaimedJob> {
    let scope = Scope::from(row.get::<Option<TenantId>>("tenant")?);
    let lease = Lease::new(row.get("id")?, row.get("token")?, claim);
    let mut job = ClaimedJob::new(lease, row.get("kind")?, row.get("payload")?, scope);
    job.queue = QueueName::parse(&row.get::<String>("queue")?)?;
    job.version = row.get("version")?;
    job.attempt = row.get::<u32>("attempt")? + 1;
    job.max_attempts = row.get("max_attempts")?;
    let timeout: i64 = row.get("timeout_ms")?;
    job.timeout = Duration::from_millis(timeout.unsigned_abs());
    job.waited = row.get::<Timestamp>("now")?.since(row.get("due_at")?);
    Ok(job)
}
