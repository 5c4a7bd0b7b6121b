//! What people see of the queue.

use std::collections::BTreeMap;

use dolmen_ports::{JobFilter, JobRecord, JobState, KindStats, PortResult, QueueName, ReadTx, Timestamp};

use super::JOBS;

/// How many jobs a list has when the filter does not say.
const DEFAULT_LIMIT: usize = 50;

/// Jobs that match, newest first.
pub(super) fn list(tx: &mut ReadTx, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
    let rows = JOBS.scan(tx, |id, row| {
        (filter.states.is_empty() || filter.states.contains(&row.record.state))
            && filter.kind.as_ref().is_none_or(|kind| *kind == row.record.kind)
            && filter.queue.as_ref().is_none_or(|queue| *queue == row.record.queue)
            && filter.line.as_ref().is_none_or(|(scope, key)| {
                scope.tenant() == row.record.tenant && Some(key) == row.record.ordering_key.as_ref()
            })
            && filter.tenant.is_none_or(|tenant| Some(tenant) == row.record.tenant)
            && filter.reason.as_ref().is_none_or(|text| has(row.record.last_error.as_ref(), text))
            && filter.before.is_none_or(|before| *id < before)
    })?;
    let limit = match usize::try_from(filter.limit) {
        Ok(0) => DEFAULT_LIMIT,
        Ok(limit) => limit,
        Err(_) => usize::MAX,
    };
    Ok(rows.into_iter().rev().take(limit).map(|(_, row)| row.record).collect())
}

fn has(reason: Option<&String>, text: &str) -> bool {
    reason.is_some_and(|reason| reason.contains(text))
}

/// Numbers per queue and kind.
pub(super) fn stats(tx: &mut ReadTx, now: Timestamp) -> PortResult<Vec<KindStats>> {
    let mut stats: BTreeMap<(QueueName, String), KindStats> = BTreeMap::new();
    for (_, row) in JOBS.scan(tx, |_, _| true)? {
        let record = row.record;
        let key = (record.queue.clone(), record.kind.clone());
        let stat = stats.entry(key).or_insert_with(|| KindStats::new(record.queue, record.kind));
        match record.state {
            JobState::Ready if record.due_at > now => stat.scheduled += 1,
            JobState::Ready => {
                stat.ready += 1;
                let waited = u64::try_from(now.since(record.due_at).as_millis()).unwrap_or(u64::MAX);
                stat.oldest_ready_ms = stat.oldest_ready_ms.max(waited);
            }
            JobState::Running => stat.running += 1,
            JobState::Dead => stat.dead += 1,
            _ => {}
        }
    }
    Ok(stats.into_values().collect())
}
