//! Taking jobs from the front of their queues.
//!
//! One index holds the active jobs, by queue, priority, due time and id. A claim first looks at the front of each queue and
//! priority, stepping through the index from one to the next, and then reads on only where something is due. So it costs
//! the same with a million jobs behind the front, of other queues, or of later days. On PostgreSQL a function of the
//! database does the same.

use std::time::Duration;

use dolmen_ports::{
    ClaimId, ClaimRequest, ClaimedJob, Dialect, Lease, PortResult, QueueName, Scope, TenantId, Timestamp,
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
    utc_timestamp(6), ordering_key is not null
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
    let mut taken = Taken::all(claim, &rows)?;
    taken.truncate(usize::try_from(request.limit).unwrap_or(usize::MAX));
    let jobs: Vec<ClaimedJob> = taken.into_iter().map(|taken| taken.job).collect();
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
    let (kinds, newer) = (known_kinds(request), newer_joined(request));
    let mut due = Vec::new();
    for Front { queue, priority } in fronts(tx, request).await? {
        if tx.dialect() == Dialect::MySql {
            let values = row![&queue, priority, &kinds, &newer, i64::from(limit)];
            due.extend(tx.fetch(DUE_IN_MYSQL, &values).await?);
            continue;
        }
        let rows = framework_sql!(
            "select id, token, kind, queue, payload, version, tenant, attempt, max_attempts, timeout_ms, priority, due_at,
                 {now}, ordering_key is not null
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
             {now}, ordering_key is not null
         from dolmen_job as waiting
         where crashes >= 2 and state = 'active' and due_at <= {now} and kind in ({list})
             and (version = 1 or instr(?, concat(',', kind, ' ', version, ',')) > 0)
             and queue not in (select queue from dolmen_job_paused)
             and (id, token) not in (select job, token from dolmen_job_running)
             and (ordering_key is null or not exists (select 1 from dolmen_job_behind as behind where behind.id = waiting.id))
         order by priority, due_at, id limit ?",
        format!(",{},", newer_joined(request)),
        LAST_CHANCES
    );
    let rows = rows.bind_list(request.kinds.iter().map(|known| known.kind.as_str())).fetch_in(tx).await?;
    let mut wanted = Vec::new();
    for row in rows {
        if request.wants(&row.at(3)?) {
            wanted.push(row);
        }
    }
    Ok(wanted)
}

/// The kinds, joined by commas; a name with a comma is none.
fn known_kinds(request: &ClaimRequest) -> String {
    let kinds = request.kinds.iter().map(|known| known.kind.as_str()).filter(|kind| !kind.contains(','));
    kinds.collect::<Vec<_>>().join(",")
}

/// The known versions above the first, as `<kind> <version>`.
pub(super) fn newer_versions(request: &ClaimRequest) -> impl Iterator<Item = String> {
    request
        .kinds
        .iter()
        .flat_map(|known| (2..=known.version).map(move |version| format!("{} {version}", known.kind)))
}

/// The same, joined by commas; a name with a comma is none.
fn newer_joined(request: &ClaimRequest) -> String {
    newer_versions(request).filter(|newer| !newer.contains(',')).collect::<Vec<_>>().join(",")
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

/// A job that a claim took, and where it stood.
pub(super) struct Taken {
    pub(super) job: ClaimedJob,
    pub(super) priority: i32,
    pub(super) due_at: Timestamp,
    pub(super) claimed_at: Timestamp,
    /// It stands in a line, and nobody before it.
    pub(super) is_head: bool,
}

impl Taken {
    /// The rows of a claim, in order.
    fn all(claim: ClaimId, rows: &[Row]) -> PortResult<Vec<Self>> {
        let mut all = rows.iter().map(|row| Self::of(claim, row)).collect::<PortResult<Vec<_>>>()?;
        Self::order(&mut all);
        Ok(all)
    }

    /// By priority, due time and id.
    pub(super) fn order(all: &mut [Self]) {
        all.sort_by_key(|taken| (taken.priority, taken.due_at, taken.job.lease.job));
    }

    /// Claims select the same columns in one order, from `id` to whether there is an ordering key.
    fn of(claim: ClaimId, row: &Row) -> PortResult<Self> {
        let scope = Scope::from(row.at::<Option<TenantId>>(6)?);
        let lease = Lease::new(row.at(0)?, row.at(1)?, claim);
        let mut job = ClaimedJob::new(lease, row.at(2)?, row.at(4)?, scope);
        job.queue = row.at(3)?;
        job.version = row.at(5)?;
        job.attempt = row.at::<u32>(7)? + 1;
        job.max_attempts = row.at(8)?;
        job.timeout = Duration::from_millis(row.at::<i64>(9)?.unsigned_abs());
        let (priority, due_at, claimed_at) = (row.at(10)?, row.at(11)?, row.at::<Timestamp>(12)?);
        job.waited = claimed_at.since(due_at);
        Ok(Self { job, priority, due_at, claimed_at, is_head: row.at(13)? })
    }
}
