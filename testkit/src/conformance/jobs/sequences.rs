//! Sequences of calls, made by dice, each held against the model.

use std::collections::BTreeSet;
use std::time::Duration;

use dolmen_ports::{
    Due, Enqueued, ErrorKind, JobFailure, JobFilter, JobId, JobState, Lease, NewJob, NextStep, PortError,
    PortResult, QueueName, Scope, TenantId, Unique, Uuid,
};

use super::JobsSuite;
use super::model::Model;
use super::probe::{H, KIND, LEASE, enqueue, id, request};
use crate::conformance::failure::{CaseResult, Failure, ensure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: JobsSuite) -> JobsSuite {
    add_cases!(suite, "JQ-1": any_sequence_of_calls_does_what_the_model_says)
}

/// Calls of one sequence.
const CALLS: u32 = 30;

/// Dice that fall the same way for the same seed: `SplitMix64`, <https://prng.di.unimi.it/splitmix64.c>.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        let index = usize::try_from(self.below(u64::try_from(of.len()).unwrap_or(1))).unwrap_or(0);
        of.get(index).copied()
    }

    fn delay(&mut self) -> Duration {
        Duration::from_secs(60 * self.below(2))
    }
}

/// A queue, its model, and all leases that were ever handed out, void ones included.
struct Play<'h> {
    harness: &'h H,
    model: Model,
    dice: Dice,
    leases: Vec<Lease>,
    jobs: u32,
}

async fn any_sequence_of_calls_does_what_the_model_says(harness: H) -> CaseResult {
    let mut jobs = 0;
    for seed in harness.sequences() {
        let (model, dice) = (Model::default(), Dice(seed));
        let mut play = Play { harness: &harness, model, dice, leases: Vec::new(), jobs };
        for call in 0..CALLS {
            let named = |failure: Failure| Failure::new(format!("seed {seed}, call {call}: {failure:?}"));
            play.call().await.map_err(named)?;
            play.compare().await.map_err(named)?;
        }
        jobs = play.jobs;
        play.clear().await?;
    }
    Ok(())
}

impl Play<'_> {
    async fn call(&mut self) -> CaseResult {
        match self.dice.below(16) {
            0..=3 => self.enqueue().await,
            4..=5 => self.claim(false).await,
            6 => self.claim(true).await,
            7 => self.complete_all().await,
            8 => self.complete().await,
            9 => self.fail().await,
            10 => self.release_or_give_up().await,
            11 => self.extend().await,
            12 => self.rescue().await,
            13 => self.operate().await,
            14 => self.pause_or_resume().await,
            _ => {
                // Never a multiple of the lease, so that no moment decides.
                let by = Duration::from_secs(20 << self.dice.below(3));
                self.harness.age(by).await?;
                self.model.now += by;
                Ok(())
            }
        }
    }

    fn new_job(&mut self) -> (NewJob, Duration) {
        self.jobs += 1;
        let mut job = NewJob::new(id(self.jobs), KIND, "{}", Scope::System);
        let (dice, delay) = (&mut self.dice, Duration::ZERO);
        if dice.below(2) == 0 {
            job.scope = Scope::Tenant(TenantId::new(Uuid::from_u128(1 + u128::from(dice.below(2)))));
        }
        job.queue = if dice.below(3) == 0 { QueueName::new("mail") } else { QueueName::DEFAULT };
        job.priority = i16::try_from(dice.below(3)).unwrap_or(0) - 1;
        job.max_attempts = u32::try_from(1 + dice.below(5)).unwrap_or(1);
        if dice.below(3) == 0 {
            let mut unique = Unique::new(if dice.below(2) == 0 { "a" } else { "b" });
            (unique.even_done, unique.even_dead) = (dice.below(2) == 0, dice.below(2) == 0);
            job.unique = Some(unique);
        }
        if dice.below(3) == 0 {
            job.ordering_key = Some(if dice.below(2) == 0 { "x" } else { "y" }.to_owned());
        }
        let delay = delay + dice.delay();
        job.due = Due::In(delay);
        (job, delay)
    }

    async fn enqueue(&mut self) -> CaseResult {
        let mut jobs = Vec::new();
        let mut expected = Vec::new();
        for _ in 0..=self.dice.below(3) {
            let (job, delay) = self.new_job();
            if let Some(first) = self.model.holder(&job) {
                expected.push(Enqueued::Duplicate(first));
            } else {
                expected.push(Enqueued::New(job.id));
                self.model.enqueue(job.clone(), delay);
            }
            jobs.push(job);
        }
        ensure_eq!(enqueue(self.harness, jobs).await?, expected, "what became of an enqueue");
        Ok(())
    }

    async fn claim(&mut self, last_chances: bool) -> CaseResult {
        let limit = if self.dice.below(2) == 0 { 100 } else { 1 + self.dice.below(3) };
        let mut asked = request(u32::try_from(limit)?);
        asked.last_chances = last_chances;
        let claimable = self.model.claimable(last_chances);
        // Only a claim that finds nothing says that there is nothing.
        let mut claimed = Vec::new();
        while asked.limit > 0 {
            let more = self.harness.queue().claim(&asked).await?;
            asked.limit -= u32::try_from(more.len())?.min(asked.limit);
            if more.is_empty() {
                break;
            }
            claimed.extend(more);
        }
        let taken: BTreeSet<JobId> = claimed.iter().map(|job| job.lease.job).collect();
        ensure_eq!(taken.len(), claimed.len(), "different jobs of a claim");
        ensure_eq!(taken.len(), claimable.len().min(usize::try_from(limit)?), "jobs of a claim for {limit}");
        ensure!(taken.is_subset(&claimable), "claimed {taken:?} of {claimable:?}");
        let priority = |job: &JobId| self.model.jobs.get(job).map(|job| job.new.priority);
        let (last, next) = (
            taken.iter().filter_map(priority).max(),
            claimable.difference(&taken).filter_map(priority).min(),
        );
        ensure!(
            last_chances || last.zip(next).is_none_or(|(last, next)| last <= next),
            "a claim took priority {last:?} and left {next:?}"
        );
        for job in &claimed {
            self.model.take(job.lease, LEASE);
            self.leases.push(job.lease);
            let attempt = self.model.jobs.get(&job.lease.job).map(|job| job.attempt);
            ensure_eq!(Some(job.attempt), attempt, "the attempt of a claimed job");
        }
        Ok(())
    }

    async fn complete_all(&mut self) -> CaseResult {
        let mut chosen: Vec<Lease> = Vec::new();
        for _ in 0..=self.dice.below(3) {
            chosen.extend(
                self.dice
                    .pick(&self.leases)
                    .filter(|lease| chosen.iter().all(|other| other.job != lease.job)),
            );
        }
        let mut lost = Vec::new();
        for lease in &chosen {
            if self.model.held(lease).is_some() {
                self.model.end(lease.job, JobState::Done);
            } else {
                lost.push(lease.job);
            }
        }
        ensure_eq!(self.harness.queue().complete_all(&chosen).await?, lost, "lost leases of a batch");
        Ok(())
    }

    async fn complete(&mut self) -> CaseResult {
        let Some(lease) = self.dice.pick(&self.leases) else { return Ok(()) };
        let (queue, rolls_back) = (self.harness.queue(), self.dice.below(4) == 0);
        let result: PortResult<()> = self
            .harness
            .database()
            .system()
            .write(async |tx| {
                queue.complete(tx, &lease).await?;
                if rolls_back { Err(PortError::new(ErrorKind::Conflict, "suite", "go back")) } else { Ok(()) }
            })
            .await;
        if self.model.held(&lease).is_none() {
            ensure_kind!(result, ErrorKind::LeaseLost, "completing with a void lease");
        } else if rolls_back {
            ensure_kind!(result, ErrorKind::Conflict, "a completion that is rolled back");
        } else {
            result?;
            self.model.end(lease.job, JobState::Done);
        }
        Ok(())
    }

    async fn fail(&mut self) -> CaseResult {
        let Some(lease) = self.dice.pick(&self.leases) else { return Ok(()) };
        let next = match self.dice.below(4) {
            0 => NextStep::Bury,
            1 => NextStep::Discard,
            _ => NextStep::RetryIn(self.dice.delay()),
        };
        let result = self.harness.queue().fail(&lease, &JobFailure::new("suite", next)).await;
        if self.model.held(&lease).is_none() {
            ensure_kind!(result, ErrorKind::LeaseLost, "failing with a void lease");
        } else {
            ensure_eq!(result?, self.model.fail(lease.job, next), "the state after {next:?}");
        }
        Ok(())
    }

    async fn release_or_give_up(&mut self) -> CaseResult {
        let Some(lease) = self.dice.pick(&self.leases) else { return Ok(()) };
        if self.dice.below(2) == 0 {
            self.harness.queue().open_heartbeat().await?.give_up(&[lease]).await?;
            if self.model.held(&lease).is_some() {
                self.model.crash(lease.job);
            }
            return Ok(());
        }
        let delay = self.dice.delay();
        let lost = self.harness.queue().release(&[lease], delay).await?;
        match self.model.held(&lease) {
            None => ensure_eq!(lost, [lease.job], "lost leases of a release"),
            Some(job) => {
                job.attempt -= 1;
                self.model.again(lease.job, delay);
                ensure_eq!(lost, [], "lost leases of a release");
            }
        }
        Ok(())
    }

    async fn extend(&mut self) -> CaseResult {
        let Some(lease) = self.dice.pick(&self.leases) else { return Ok(()) };
        let held = self.model.held(&lease).is_some();
        // Only a holder extends: its own process knows a void lease before, or learns of it here.
        let expected = if held { vec![] } else { vec![lease.job] };
        if held {
            self.model.extend(&lease, LEASE);
            let mut heartbeat = self.harness.queue().open_heartbeat().await?;
            ensure_eq!(heartbeat.extend(&[lease], LEASE).await?, expected, "lost leases of a heartbeat");
        }
        Ok(())
    }

    async fn rescue(&mut self) -> CaseResult {
        let rescued = self.harness.queue().rescue(1_000).await?;
        let (mut requeued, mut buried) = (0, 0);
        for job in self.model.expired() {
            *if self.model.crash(job) { &mut buried } else { &mut requeued } += 1;
        }
        ensure_eq!((rescued.requeued, rescued.buried), (requeued, buried), "jobs of a rescue");
        Ok(())
    }

    /// Retries, discards or prunes.
    async fn operate(&mut self) -> CaseResult {
        let queue = self.harness.queue();
        let known: Vec<JobId> = self.model.jobs.keys().copied().collect();
        let Some(job) = self.dice.pick(&known) else { return Ok(()) };
        let state = self.model.jobs.get(&job).map_or(JobState::Done, |job| job.state);
        let database = self.harness.database().system();
        match self.dice.below(3) {
            0 => {
                let kept_for = Duration::from_secs(70);
                ensure_eq!(queue.prune(kept_for, 1_000).await?, self.model.prune(kept_for), "pruned jobs");
            }
            1 => {
                let result = database.write(async |tx| queue.retry(tx, job).await).await;
                let holder = self.model.jobs.get(&job).and_then(|job| self.model.holder(&job.new));
                match (state, holder) {
                    (JobState::Dead, None) => {
                        result?;
                        self.model.revive(job);
                    }
                    (JobState::Dead, Some(_)) => ensure_kind!(result, ErrorKind::AlreadyExists, "a retry"),
                    _ => ensure_kind!(result, ErrorKind::Conflict, "retrying a {state:?} job"),
                }
            }
            _ => {
                let result = database.write(async |tx| queue.discard(tx, job).await).await;
                if matches!(state, JobState::Done | JobState::Discarded) {
                    ensure_kind!(result, ErrorKind::Conflict, "discarding a {state:?} job");
                } else {
                    result?;
                    self.model.end(job, JobState::Discarded);
                }
            }
        }
        Ok(())
    }

    async fn pause_or_resume(&mut self) -> CaseResult {
        let (queue, mail) = (self.harness.queue(), QueueName::new("mail"));
        let database = self.harness.database().system();
        if self.dice.below(2) == 0 {
            database.write(async |tx| queue.pause(tx, &mail).await).await?;
            self.model.paused.insert(mail);
        } else {
            database.write(async |tx| queue.resume(tx, &mail).await).await?;
            self.model.paused.remove(&mail);
        }
        Ok(())
    }

    /// Every job, as the queue shows it.
    async fn compare(&self) -> CaseResult {
        let queue = self.harness.queue();
        let filter = all();
        let records = self.harness.database().system().read(async |tx| queue.list(tx, &filter).await).await?;
        let shown: Vec<_> =
            records.iter().rev().map(|job| (job.id, job.state, job.attempt, job.crashes)).collect();
        let modelled = self.model.jobs.values().map(|job| (job.new.id, job.state, job.attempt, job.crashes));
        ensure_eq!(shown, modelled.collect::<Vec<_>>(), "id, state, attempt and crashes of all jobs");
        Ok(())
    }

    /// Leaves nothing to the next sequence.
    async fn clear(self) -> CaseResult {
        let queue = self.harness.queue();
        let ended = |state| matches!(state, JobState::Done | JobState::Discarded);
        for (id, _) in self.model.jobs.iter().filter(|(_, job)| !ended(job.state)) {
            self.harness.database().system().write(async |tx| queue.discard(tx, *id).await).await?;
        }
        let mail = QueueName::new("mail");
        self.harness.database().system().write(async |tx| queue.resume(tx, &mail).await).await?;
        self.harness.age(Duration::from_mins(10)).await?;
        queue.rescue(1_000).await?;
        queue.prune(Duration::ZERO, 10_000).await?;
        Ok(())
    }
}

fn all() -> JobFilter {
    let mut filter = JobFilter::all();
    filter.limit = 10_000;
    filter
}
