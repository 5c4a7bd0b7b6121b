//! What a queue does, in a hundred lines: every call of a sequence is held against it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use dolmen_ports::jobs::MAX_CRASHES;
use dolmen_ports::{JobId, JobState, Lease, NewJob, NextStep, QueueName, TenantId};

/// A job of the model.
#[derive(Debug, Clone)]
pub(super) struct Modelled {
    pub(super) new: NewJob,
    pub(super) state: JobState,
    pub(super) attempt: u32,
    pub(super) crashes: u32,
    due: Duration,
    finished: Duration,
    lease: Option<Lease>,
    lease_until: Duration,
}

/// The model; time begins at zero and passes only when it is told to.
#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) jobs: BTreeMap<JobId, Modelled>,
    pub(super) paused: BTreeSet<QueueName>,
    pub(super) now: Duration,
}

impl Model {
    /// The job that holds the unique key of another one.
    pub(super) fn holder(&self, new: &NewJob) -> Option<JobId> {
        let unique = new.unique.as_ref()?;
        let holds = |other: &&Modelled| {
            let Some(held) = &other.new.unique else { return false };
            let in_state = match other.state {
                JobState::Ready | JobState::Running => true,
                JobState::Done => held.even_done,
                JobState::Dead => held.even_dead,
                _ => false,
            };
            in_state && held.key == unique.key && other.new.kind == new.kind && other.new.scope == new.scope
        };
        self.jobs.values().filter(|other| other.new.id != new.id).find(holds).map(|other| other.new.id)
    }

    pub(super) fn enqueue(&mut self, new: NewJob, delay: Duration) {
        let job = Modelled {
            state: JobState::Ready,
            attempt: 0,
            crashes: 0,
            due: self.now + delay,
            finished: Duration::ZERO,
            lease: None,
            lease_until: Duration::ZERO,
            new,
        };
        self.jobs.insert(job.new.id, job);
    }

    /// The jobs that a claim may take.
    pub(super) fn claimable(&self, last_chances: bool) -> BTreeSet<JobId> {
        let mut lines: BTreeMap<(Option<TenantId>, &str), JobId> = BTreeMap::new();
        let mut busy = BTreeSet::new();
        // Ids ascend in the order of enqueueing.
        for (id, job) in self.jobs.iter().filter(|(_, job)| job.is_active()) {
            let Some(key) = job.line() else { continue };
            lines.entry(key).or_insert(*id);
            if job.state == JobState::Running {
                busy.insert(key);
            }
        }
        let may = |job: &&Modelled| {
            job.state == JobState::Ready
                && job.due <= self.now
                && !self.paused.contains(&job.new.queue)
                && (job.crashes + 1 >= MAX_CRASHES) == last_chances
                && job.line().is_none_or(|key| !busy.contains(&key) && lines.get(&key) == Some(&job.new.id))
        };
        self.jobs.values().filter(may).map(|job| job.new.id).collect()
    }

    pub(super) fn take(&mut self, lease: Lease, lease_for: Duration) {
        if let Some(job) = self.jobs.get_mut(&lease.job) {
            job.state = JobState::Running;
            job.attempt += 1;
            job.lease = Some(lease);
            job.lease_until = self.now + lease_for;
        }
    }

    /// The job of a lease that is not void.
    pub(super) fn held(&mut self, lease: &Lease) -> Option<&mut Modelled> {
        let job = self.jobs.get_mut(&lease.job)?;
        (job.state == JobState::Running && job.lease == Some(*lease)).then_some(job)
    }

    pub(super) fn end(&mut self, id: JobId, state: JobState) {
        let now = self.now;
        if let Some(job) = self.jobs.get_mut(&id) {
            (job.state, job.finished) = (state, now);
        }
    }

    /// Makes a job ready, due after `delay`.
    pub(super) fn again(&mut self, id: JobId, delay: Duration) {
        let now = self.now;
        if let Some(job) = self.jobs.get_mut(&id) {
            (job.state, job.due) = (JobState::Ready, now + delay);
        }
    }

    pub(super) fn fail(&mut self, id: JobId, next: NextStep) -> JobState {
        let spent = self.jobs.get(&id).is_none_or(|job| job.attempt >= job.new.max_attempts);
        match next {
            NextStep::RetryIn(delay) if !spent => self.again(id, delay),
            NextStep::Discard => self.end(id, JobState::Discarded),
            NextStep::RetryIn(_) | NextStep::Bury => self.end(id, JobState::Dead),
        }
        self.jobs.get(&id).map_or(JobState::Discarded, |job| job.state)
    }

    /// Extends all leases of the claim that a lease came with.
    pub(super) fn extend(&mut self, lease: &Lease, lease_for: Duration) {
        let until = self.now + lease_for;
        for job in self.jobs.values_mut() {
            if job.lease.is_some_and(|other| other.claim == lease.claim) {
                job.lease_until = until;
            }
        }
    }

    /// Counts a crash; returns whether the job is dead now.
    pub(super) fn crash(&mut self, id: JobId) -> bool {
        let now = self.now;
        let Some(job) = self.jobs.get_mut(&id) else { return false };
        job.crashes += 1;
        let is_dead = job.crashes >= MAX_CRASHES || job.attempt >= job.new.max_attempts;
        job.state = if is_dead { JobState::Dead } else { JobState::Ready };
        (job.due, job.finished) = (if is_dead { job.due } else { now }, now);
        is_dead
    }

    pub(super) fn expired(&self) -> Vec<JobId> {
        let expired = |job: &&Modelled| job.state == JobState::Running && job.lease_until < self.now;
        self.jobs.values().filter(expired).map(|job| job.new.id).collect()
    }

    pub(super) fn revive(&mut self, id: JobId) {
        self.again(id, Duration::ZERO);
        if let Some(job) = self.jobs.get_mut(&id) {
            (job.attempt, job.crashes) = (0, 0);
        }
    }

    /// Removes what ended longer than `kept_for` ago; returns how many.
    pub(super) fn prune(&mut self, kept_for: Duration) -> u64 {
        let (before, now) = (self.jobs.len(), self.now);
        self.jobs.retain(|_, job| {
            !matches!(job.state, JobState::Done | JobState::Discarded) || job.finished + kept_for >= now
        });
        u64::try_from(before - self.jobs.len()).unwrap_or(u64::MAX)
    }
}

impl Modelled {
    pub(super) fn is_active(&self) -> bool {
        matches!(self.state, JobState::Ready | JobState::Running)
    }

    fn line(&self) -> Option<(Option<TenantId>, &str)> {
        Some((self.new.scope.tenant(), self.new.ordering_key.as_deref()?))
    }
}
