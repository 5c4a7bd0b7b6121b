//! A job as the queue in memory keeps it.

use std::time::Duration;

use dolmen_ports::{
    ClaimId, ErrorKind, JobId, JobRecord, JobState, Lease, NewJob, PortError, PortResult, Timestamp, Unique,
    Uuid, WriteTx,
};

use super::JOBS;

/// A job: what people see of it, and what the queue needs besides.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) record: JobRecord,
    pub(super) timeout: Duration,
    pub(super) unique: Option<Unique>,
    /// The period in which its key is unique.
    pub(super) period: i64,
    /// The token of the latest claim.
    pub(super) token: i64,
    pub(super) lease_until: Timestamp,
    /// The claim that took it last.
    pub(super) claim: ClaimId,
}

impl Row {
    pub(super) fn new(job: NewJob, due_at: Timestamp, now: Timestamp) -> Self {
        let mut record = JobRecord::new(job.id, job.kind.into_owned(), job.payload, job.scope, now);
        record.queue = job.queue;
        record.max_attempts = job.max_attempts;
        record.due_at = due_at;
        record.priority = job.priority;
        record.version = job.version;
        record.unique_key = job.unique.as_ref().map(|unique| unique.key.clone());
        record.ordering_key = job.ordering_key;
        let per = job.unique.as_ref().and_then(|unique| unique.per);
        let period = per.map_or(0, |per| now.as_unix_micros().div_euclid(micros(per)));
        Self {
            record,
            timeout: job.timeout,
            unique: job.unique,
            period,
            token: 0,
            lease_until: now,
            claim: ClaimId::new(Uuid::nil()),
        }
    }

    /// Whether it is ready or running.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.record.state, JobState::Ready | JobState::Running)
    }

    /// The unique key that stands in the way of other jobs.
    pub(super) fn held_key(&self) -> Option<(&str, i64)> {
        let unique = self.unique.as_ref()?;
        let holds = match self.record.state {
            JobState::Ready | JobState::Running => true,
            JobState::Done => unique.even_done,
            JobState::Dead => unique.even_dead,
            _ => false,
        };
        holds.then_some((unique.key.as_str(), self.period))
    }

    /// Ends its life.
    pub(super) fn finish(&mut self, state: JobState, now: Timestamp) {
        self.record.state = state;
        self.record.finished_at = Some(now);
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX).max(1)
}

/// Changes the job of a lease that holds: token and state are compared. `None` when the lease is void.
pub(super) fn change_held<R>(
    tx: &mut WriteTx,
    lease: &Lease,
    change: impl FnOnce(&mut Row) -> R,
) -> PortResult<Option<R>> {
    let change = |row: &mut Row| {
        let holds = row.token == lease.token && row.record.state == JobState::Running;
        holds.then(|| change(row))
    };
    Ok(JOBS.update(tx, &lease.job, change)?.flatten())
}

/// The jobs whose lease is void, out of a batch of which `change` tells each.
pub(super) fn lost(
    leases: &[Lease],
    mut change: impl FnMut(&Lease) -> PortResult<bool>,
) -> PortResult<Vec<JobId>> {
    let mut lost = Vec::new();
    for lease in leases {
        if !change(lease)? {
            lost.push(lease.job);
        }
    }
    Ok(lost)
}

/// The error of a void lease.
pub(super) fn lease_lost(operation: &'static str, lease: &Lease) -> PortError {
    PortError::new(ErrorKind::LeaseLost, "jobs", operation)
        .with_detail(format!("token {} of job {} is not the current one", lease.token, lease.job))
}
