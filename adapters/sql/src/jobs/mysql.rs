//! What the queue says differently to MariaDB and MySQL.

use std::time::Duration;

use dolmen_ports::{JobState, NewJob, PortResult, Timestamp};

use super::{enqueue, micros, settle};
use crate::database::SqlTx;
use crate::row;
use crate::statement::framework_sql;

/// As in one statement, but with the database's time read first: the rows of an insert cannot compute.
pub(super) async fn insert(tx: &mut SqlTx, jobs: &[&NewJob]) -> PortResult<()> {
    let rows = framework_sql!("select {now} as now").fetch_in(tx).await?;
    let Some(row) = rows.first() else { return Ok(()) };
    let now: Timestamp = row.get("now")?;
    let rows = jobs.iter().map(|job| {
        let (at, delay) = enqueue::due(job);
        row![
            job.id,
            &*job.kind,
            job.queue.as_str(),
            settle::ACTIVE,
            job.scope.tenant(),
            i32::from(job.priority),
            job.max_attempts,
            enqueue::timeout_ms(job),
            &job.payload,
            job.version,
            enqueue::line_of(job),
            at.unwrap_or_else(|| now.plus(Duration::from_micros(delay.unsigned_abs()))),
            now
        ]
    });
    framework_sql!(
        "insert into dolmen_job (id, kind, queue, state, tenant, priority, max_attempts, timeout_ms, payload, version,
             ordering_key, due_at, created_at)
         values {rows}"
    )
    .bind_rows(rows)
    .execute_in(tx)
    .await
    .map(drop)
    .map_err(enqueue::known)
}

/// State by state, each through its index.
pub(super) async fn prune(tx: &mut SqlTx, kept_for: Duration, limit: u32) -> PortResult<u64> {
    let mut removed = 0;
    for state in [JobState::Done, JobState::Discarded] {
        removed += framework_sql!(
            "delete from dolmen_job where state = ? and finished_at < {now_plus ?} order by finished_at limit ?",
            state.name(),
            micros(kept_for).saturating_neg(),
            i64::from(limit).saturating_sub_unsigned(removed)
        )
        .execute_in(tx)
        .await?;
    }
    Ok(removed)
}
