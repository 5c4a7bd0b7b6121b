//! What people do with jobs: look, ask why one does not run, retry, discard, pause a queue. Each change is audited.

use std::collections::BTreeMap;
use std::sync::Arc;

use dolmen_ports::jobs::MAX_CRASHES;
use dolmen_ports::{
    Actor, Clock, Database, ErrorKind, JobFilter, JobId, JobQueue, JobRecord, JobState, PortError,
    PortResult, QueueName, ReadTx, Scope, WriteTx,
};

use crate::app_ports::AppPorts;
use crate::audit::AuditTrail;
use crate::registry::Registry;

/// How many jobs `retry_all` and `discard_all` change in one transaction.
const AT_ONCE: u32 = 200;
/// How far back a line is looked at for the one that holds it up.
const LINE: u32 = 10_000;

/// Looks after jobs; cheap to clone. Made by [`App::job_admin`](crate::App::job_admin).
///
/// Every change records who did it, in its own transaction: `jobs.retry_job`, `jobs.discard_job` with the target `job/<id>`,
/// `jobs.pause_queue` and `jobs.resume_queue` with `queue/<name>`.
#[derive(Debug, Clone)]
pub struct JobAdmin {
    database: Database,
    queue: Arc<dyn JobQueue>,
    clock: Arc<dyn Clock>,
    audit: AuditTrail,
    /// The kinds that this program knows, with the newest version of their payloads.
    kinds: BTreeMap<String, u32>,
}

/// What is done to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Retry,
    Discard,
}

impl JobAdmin {
    pub(crate) fn new(ports: &AppPorts, registry: &Registry, audit: AuditTrail) -> Self {
        Self {
            database: ports.database().clone(),
            queue: Arc::clone(ports.queue()),
            clock: Arc::clone(ports.clock()),
            audit,
            kinds: registry.kinds().into_iter().map(|known| (known.kind, known.version)).collect(),
        }
    }

    /// Jobs that match, newest first.
    ///
    /// # Errors
    /// The database's.
    pub async fn list(&self, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
        let queue = &self.queue;
        self.database.system().read(async |tx: &mut ReadTx| queue.list(tx, filter).await).await
    }

    /// One job.
    ///
    /// # Errors
    /// `NotFound` for a job that the queue does not know, or knows no longer; otherwise the database's.
    pub async fn find(&self, job: JobId) -> PortResult<JobRecord> {
        let queue = &self.queue;
        let found = self.database.system().read(async |tx: &mut ReadTx| queue.find(tx, job).await).await?;
        found.ok_or_else(|| {
            PortError::new(ErrorKind::NotFound, "jobs", "find")
                .with_detail(format!("no job {job}; done and discarded ones are removed after a while"))
        })
    }

    /// Why a job is where it is, in a sentence for people: what it waits for, what it failed of, what ended it.
    ///
    /// # Errors
    /// As [`JobAdmin::find`].
    pub async fn why(&self, job: JobId) -> PortResult<String> {
        let record = self.find(job).await?;
        let ended = record.finished_at.map(|at| format!(" since {at}")).unwrap_or_default();
        let reason = record.last_error.as_deref().unwrap_or("no reason is stored");
        Ok(match record.state {
            JobState::Done => format!("it is done{ended}"),
            JobState::Discarded => format!("it was given up{ended}"),
            JobState::Dead => {
                format!("it is a dead letter{ended}, after {} attempts: {reason}", record.attempt)
            }
            JobState::Running => {
                format!("a worker runs attempt {} of {}", record.attempt, record.max_attempts)
            }
            _ => self.why_ready(&record).await?,
        })
    }

    async fn why_ready(&self, record: &JobRecord) -> PortResult<String> {
        let retried = match &record.last_error {
            Some(reason) => format!("; attempt {} failed: {reason}", record.attempt),
            None => String::new(),
        };
        match self.kinds.get(&record.kind) {
            None => {
                return Ok(format!("job/unclaimable: this program does not know the kind {}", record.kind));
            }
            Some(version) if *version < record.version => {
                return Ok(format!(
                    "job/unclaimable: its payload has version {}, and this program knows {} up to version {version}",
                    record.version, record.kind
                ));
            }
            Some(_) => {}
        }
        let (queue, now) = (&self.queue, self.clock.now());
        let paused = self.database.system().read(async |tx: &mut ReadTx| queue.paused(tx).await).await?;
        if paused.contains(&record.queue) {
            return Ok(format!("the queue {} is paused", record.queue));
        }
        if record.due_at > now {
            return Ok(format!("it is due at {}{retried}", record.due_at));
        }
        if let Some(first) = self.first_in_line(record).await? {
            return Ok(format!(
                "it waits in line {:?} behind job {first}",
                record.ordering_key.as_deref().unwrap_or("")
            ));
        }
        if record.crashes + 1 >= MAX_CRASHES {
            return Ok(format!(
                "its process died {} times, so it waits for a worker that runs nothing else{retried}",
                record.crashes
            ));
        }
        Ok(format!("it waits for a worker with room since {}{retried}", record.due_at))
    }

    /// The job that holds up the line of another one.
    async fn first_in_line(&self, record: &JobRecord) -> PortResult<Option<JobId>> {
        let Some(key) = &record.ordering_key else { return Ok(None) };
        let mut filter = JobFilter::state(JobState::Ready);
        filter.states.push(JobState::Running);
        filter.line = Some((Scope::from(record.tenant), key.clone()));
        filter.limit = LINE;
        let line = self.list(&filter).await?;
        let running = line.iter().find(|job| job.state == JobState::Running);
        let first = running.or_else(|| line.iter().min_by_key(|job| (job.created_at, job.id)));
        Ok(first.map(|job| job.id).filter(|first| *first != record.id))
    }

    /// Makes a dead letter ready, with all its attempts.
    ///
    /// # Errors
    /// As [`JobQueue::retry`].
    pub async fn retry(&self, actor: Actor, job: JobId) -> PortResult<()> {
        self.change(actor, Change::Retry, &self.find(job).await?).await
    }

    /// Gives up a dead or ready job, and cancels a running one.
    ///
    /// # Errors
    /// As [`JobQueue::discard`].
    pub async fn discard(&self, actor: Actor, job: JobId) -> PortResult<()> {
        self.change(actor, Change::Discard, &self.find(job).await?).await
    }

    /// Retries all dead letters that match, oldest last; returns how many. Those whose unique key another job holds by now are
    /// left dead.
    ///
    /// # Errors
    /// The database's; what was retried until then stays so.
    pub async fn retry_all(&self, actor: Actor, filter: &JobFilter) -> PortResult<u64> {
        self.change_all(actor, Change::Retry, filter).await
    }

    /// Gives up all dead letters that match; returns how many.
    ///
    /// # Errors
    /// The database's; what was given up until then stays so.
    pub async fn discard_all(&self, actor: Actor, filter: &JobFilter) -> PortResult<u64> {
        self.change_all(actor, Change::Discard, filter).await
    }

    async fn change_all(&self, actor: Actor, change: Change, filter: &JobFilter) -> PortResult<u64> {
        let mut filter = filter.clone();
        (filter.states, filter.limit) = (vec![JobState::Dead], AT_ONCE);
        let mut changed = 0;
        loop {
            let page = self.list(&filter).await?;
            let Some(last) = page.last() else { return Ok(changed) };
            filter.before = Some(last.id);
            for record in &page {
                match self.change(actor, change, record).await {
                    Ok(()) => changed += 1,
                    // Somebody was faster, or holds its key.
                    Err(error)
                        if matches!(
                            error.kind(),
                            ErrorKind::Conflict | ErrorKind::NotFound | ErrorKind::AlreadyExists
                        ) => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }

    async fn change(&self, actor: Actor, change: Change, record: &JobRecord) -> PortResult<()> {
        let (queue, audit, job) = (&self.queue, &self.audit, record.id);
        let database = self.database.scope(Scope::from(record.tenant));
        database
            .write(async |tx: &mut WriteTx| {
                let action = match change {
                    Change::Retry => queue.retry(tx, job).await.map(|()| "jobs.retry_job")?,
                    Change::Discard => queue.discard(tx, job).await.map(|()| "jobs.discard_job")?,
                };
                audit.record(tx, actor, action, format!("job/{job}")).await
            })
            .await
    }

    /// Stops claims from a queue; what runs may end.
    ///
    /// # Errors
    /// The database's.
    pub async fn pause(&self, actor: Actor, name: &QueueName) -> PortResult<()> {
        let (queue, audit) = (&self.queue, &self.audit);
        let write = self.database.system().write(async |tx: &mut WriteTx| {
            queue.pause(tx, name).await?;
            audit.record(tx, actor, "jobs.pause_queue", format!("queue/{name}")).await
        });
        write.await
    }

    /// Lets claims take from a queue again.
    ///
    /// # Errors
    /// The database's.
    pub async fn resume(&self, actor: Actor, name: &QueueName) -> PortResult<()> {
        let (queue, audit) = (&self.queue, &self.audit);
        let write = self.database.system().write(async |tx: &mut WriteTx| {
            queue.resume(tx, name).await?;
            audit.record(tx, actor, "jobs.resume_queue", format!("queue/{name}")).await
        });
        write.await
    }

    /// The queues that are paused, by name.
    ///
    /// # Errors
    /// The database's.
    pub async fn paused(&self) -> PortResult<Vec<QueueName>> {
        let queue = &self.queue;
        self.database.system().read(async |tx: &mut ReadTx| queue.paused(tx).await).await
    }
}
