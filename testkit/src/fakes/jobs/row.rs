//! A job as the queue in memory keeps it.

use std::time::Duration;

use dolmen_ports::{
    ClaimId, ErrorKind, JobId, JobRecord, JobState, Lease, NewJob, PortError, PortResult, Timestamp, Uuid,
    WriteTx,
};

use super::JOBS;

/// A job: what people see of it, and what the queue needs besides.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) record: JobRecord,
    pub(super) priority: i16,
    pub(super) timeout: Duration,
    pub(super) unique_key: Option<String>,
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
        Self {
            record,
            priority: job.priority,
            timeout: job.timeout,
            unique_key: job.unique_key,
            token: 0,
            lease_until: now,
            claim: ClaimId::new(Uuid::nil()),
        }
    }

    /// Whether its unique key stands in the way of another job.
    pub(super) fn is_active(&self) -> bool {
        matches!(self.record.state, JobState::Ready | JobState::Running)
    }

    /// Ends its life.
    pub(super) fn finish(&mut self, state: JobState, now: Timestamp) {
        self.record.state = state;
        self.record.finished_at = Some(now);
    }
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
