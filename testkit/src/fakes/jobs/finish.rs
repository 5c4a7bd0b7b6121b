//! Ending jobs: done, failed, given back, given up, forgotten.

use dolmen_ports::{
    ErrorKind, JobFailure, JobId, JobState, Lease, NextStep, PortError, PortResult, Timestamp, WriteTx,
};

use super::JOBS;
use super::enqueue::twin;
use super::row::{Row, change_held};

/// How much of a failure's reason is kept.
const REASON_CHARS: usize = 4_000;

/// Finishes a job; `false` when the lease is void.
pub(super) fn complete(tx: &mut WriteTx, lease: &Lease, now: Timestamp) -> PortResult<bool> {
    Ok(change_held(tx, lease, |row| row.finish(JobState::Done, now))?.is_some())
}

/// Records a failed attempt; `None` when the lease is void.
pub(super) fn fail(
    tx: &mut WriteTx,
    lease: &Lease,
    failure: &JobFailure,
    now: Timestamp,
) -> PortResult<Option<JobState>> {
    change_held(tx, lease, |row| {
        row.record.last_error = Some(failure.reason.chars().take(REASON_CHARS).collect());
        match failure.next {
            NextStep::RetryIn(delay) if row.record.attempt < row.record.max_attempts => {
                row.record.state = JobState::Ready;
                row.record.due_at = now.plus(delay);
            }
            NextStep::RetryIn(_) | NextStep::Bury => row.finish(JobState::Dead, now),
            NextStep::Discard => row.finish(JobState::Discarded, now),
        }
        row.record.state
    })
}

/// Gives a job back without spending its attempt; `false` when the lease is void.
pub(super) fn release(tx: &mut WriteTx, lease: &Lease, due_at: Timestamp) -> PortResult<bool> {
    let give_back = |row: &mut Row| {
        row.record.state = JobState::Ready;
        row.record.attempt = row.record.attempt.saturating_sub(1);
        row.record.due_at = due_at;
    };
    Ok(change_held(tx, lease, give_back)?.is_some())
}

/// Makes a dead job ready with all its attempts.
pub(super) fn retry(tx: &mut WriteTx, job: JobId, now: Timestamp) -> PortResult<()> {
    let row = in_state(tx, job, "retry", &[JobState::Dead])?;
    if let Some(first) = twin(tx, &row)? {
        return Err(PortError::new(ErrorKind::AlreadyExists, "jobs", "retry")
            .with_detail(format!("job {first} holds the unique key; discard this one")));
    }
    JOBS.update(tx, &job, |row| {
        row.record.state = JobState::Ready;
        row.record.attempt = 0;
        row.record.crashes = 0;
        row.record.due_at = now;
        row.record.finished_at = None;
    })?;
    Ok(())
}

/// Gives up a dead, ready or running job.
pub(super) fn discard(tx: &mut WriteTx, job: JobId, now: Timestamp) -> PortResult<()> {
    in_state(tx, job, "discard", &[JobState::Dead, JobState::Ready, JobState::Running])?;
    JOBS.update(tx, &job, |row| row.finish(JobState::Discarded, now))?;
    Ok(())
}

fn in_state(tx: &mut WriteTx, job: JobId, operation: &'static str, states: &[JobState]) -> PortResult<Row> {
    let Some(row) = JOBS.get(tx, &job)? else {
        return Err(PortError::new(ErrorKind::NotFound, "jobs", operation)
            .with_detail(format!("there is no job {job}")));
    };
    if states.contains(&row.record.state) {
        return Ok(row);
    }
    Err(PortError::new(ErrorKind::Conflict, "jobs", operation)
        .with_detail(format!("job {job} is {}", row.record.state.name())))
}

/// Removes done and discarded jobs.
pub(super) fn prune(tx: &mut WriteTx, finished_before: Timestamp, limit: u32) -> PortResult<u64> {
    let finished = JOBS.scan(tx, |_, row| {
        matches!(row.record.state, JobState::Done | JobState::Discarded)
            && row.record.finished_at.is_some_and(|at| at < finished_before)
    })?;
    let mut removed = 0;
    for (id, _) in finished.into_iter().take(usize::try_from(limit).unwrap_or(usize::MAX)) {
        JOBS.remove(tx, &id)?;
        removed += 1;
    }
    Ok(removed)
}
