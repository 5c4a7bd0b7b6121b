//! Storing jobs.

use dolmen_ports::{
    Due, Enqueued, ErrorKind, JobId, NewJob, PortError, PortResult, ReadTx, Timestamp, WriteTx,
};

use super::JOBS;
use super::row::Row;

/// Stores jobs, all of them or none.
pub(super) fn enqueue(tx: &mut WriteTx, jobs: Vec<NewJob>, now: Timestamp) -> PortResult<Vec<Enqueued>> {
    jobs.iter().try_for_each(NewJob::check)?;
    let mut results = Vec::with_capacity(jobs.len());
    for job in jobs {
        results.push(enqueue_one(tx, job, now)?);
    }
    Ok(results)
}

fn enqueue_one(tx: &mut WriteTx, job: NewJob, now: Timestamp) -> PortResult<Enqueued> {
    let id = job.id;
    let due_at = match job.due {
        Due::Now => now,
        Due::In(delay) => now.plus(delay),
        Due::At(at) => at,
    };
    let row = Row::new(job, due_at, now);
    if let Some(first) = twin(tx, &row)? {
        return Ok(Enqueued::Duplicate(first));
    }
    if JOBS.contains(tx, &id)? {
        return Err(PortError::new(ErrorKind::AlreadyExists, "jobs", "enqueue")
            .with_detail(format!("job {id} was enqueued before; make an id per job")));
    }
    JOBS.insert(tx, id, row)?;
    Ok(Enqueued::New(id))
}

/// Another job of the same kind and scope that holds the row's unique key.
pub(super) fn twin(tx: &mut ReadTx, row: &Row) -> PortResult<Option<JobId>> {
    let Some(unique) = &row.unique else { return Ok(None) };
    let key = Some((unique.key.as_str(), row.period));
    let twins = JOBS.scan(tx, |id, other| {
        *id != row.record.id
            && other.held_key() == key
            && other.record.kind == row.record.kind
            && other.record.tenant == row.record.tenant
    })?;
    Ok(twins.first().map(|(id, _)| *id))
}
