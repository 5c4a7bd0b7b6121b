//! What each job passes through, as PostgreSQL does it in one round trip.

use std::time::Instant;

use dolmen_ports::{ClaimId, ClaimRequest, ClaimedJob, ErrorKind, JobId, Lease, PortResult, QueueName};

use super::{claim, give_back, micros};
use crate::database::SqlDatabase;
use crate::driver::Mode;
use crate::statement::{Bind, Row, Value};

/// How often a claim is tried that had to wait too long for those before it.
const MAX_TRIES: u32 = 3;

const CLAIM: &str = "select * from dolmen_claim($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";

/// The ids decide which rows are read, through the primary key: joined with a list, PostgreSQL might compare each active job
/// with each of the list. Lists are texts with commas.
const COMPLETE_ALL: &str = "
with over as (
    delete from dolmen_job_claim where id = any(string_to_array($3, ',')::uuid[])
)
update dolmen_job set state = 'done', attempt = attempt + 1, finished_at = statement_timestamp()
where id = any(string_to_array($1, ',')::uuid[]) and state = 'active'
    and (id, token) in (
        select * from unnest(string_to_array($1, ',')::uuid[], string_to_array($2, ',')::bigint[]))
returning id";

pub(super) async fn claim(
    database: &SqlDatabase,
    claim: ClaimId,
    request: &ClaimRequest,
) -> PortResult<Vec<ClaimedJob>> {
    let names = |queues: &[QueueName]| queues.iter().map(QueueName::as_str).collect::<Vec<_>>().join(",");
    let fronts = database.fronts();
    let begin_after = fronts.next().filter(|_| !request.last_chances);
    let is_full = begin_after.is_none();
    let mut values = [
        claim.into_value(),
        request.worker.into_value(),
        claim::known_kinds(request).into_value(),
        claim::newer_versions(request).into_value(),
        names(&request.queues).into_value(),
        names(&request.except).into_value(),
        request.last_chances.into_value(),
        i64::from(request.limit).into_value(),
        micros(request.lease_for).into_value(),
        begin_after.into_value(),
    ];
    let mut rows = fetch(database, &values, request).await?;
    if rows.is_empty() && !is_full {
        let [.., begin_after] = &mut values;
        *begin_after = None::<serde_json::Value>.into_value();
        rows = fetch(database, &values, request).await?;
    }
    claim::in_order(claim, &rows)
}

/// Claims, and notes where that has come to.
async fn fetch(database: &SqlDatabase, values: &[Value<'_>], request: &ClaimRequest) -> PortResult<Vec<Row>> {
    let is_full = matches!(values.last(), Some(Value::Null(_)));
    let mut tries = 1;
    loop {
        let started = Instant::now();
        let mut tx = database.begin(Mode::Single).await?;
        let result = tx.fetch(CLAIM, values).await;
        give_back(tx).await?;
        match result {
            Err(error) if error.kind() == ErrorKind::Contention && tries < MAX_TRIES => tries += 1,
            result => {
                let rows = result?;
                let is_short = rows.len() < usize::try_from(request.limit).unwrap_or(usize::MAX);
                let left_nothing =
                    is_short && is_full && request.queues.is_empty() && request.except.is_empty();
                if request.last_chances {
                    return Ok(rows);
                }
                database.fronts().note(&rows, is_full.then(|| started.elapsed()), is_short, left_nothing)?;
                return Ok(rows);
            }
        }
    }
}

pub(super) async fn complete_all(
    database: &SqlDatabase,
    leases: &[Lease],
    over: &[ClaimId],
) -> PortResult<Vec<JobId>> {
    let values = [
        joined(leases.iter().map(|lease| lease.job)).into_value(),
        joined(leases.iter().map(|lease| lease.token)).into_value(),
        joined(over.iter().copied()).into_value(),
    ];
    let mut tx = database.begin(Mode::Single).await?;
    let rows = tx.fetch(COMPLETE_ALL, &values).await;
    give_back(tx).await?;
    rows?.iter().map(|row| row.get("id")).collect()
}

fn joined(items: impl Iterator<Item = impl ToString>) -> String {
    items.map(|item| item.to_string()).collect::<Vec<_>>().join(",")
}
