//! Tells the queue what became of jobs, until it has heard.

use std::collections::HashSet;
use std::future::Future;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{ErrorKind, JobFailure, JobId, JobState, Lease, PortError, PortResult};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::MOST_AT_ONCE;
use super::attempt::Ending;
use super::engine::Engine;
use super::held::{HeldJob, Holding};
use super::measurements::{FINISHED, LEASE_LOST};
use crate::jobs::JobOutcome;

/// How often a settlement that the queue refuses, rather than cannot take now, is tried.
const REFUSALS: u32 = 3;

/// The most completions in one call.
const MOST: usize = MOST_AT_ONCE as usize;

/// The most such calls side by side.
const MOST_CALLS: usize = 2;

/// How long giving jobs back may take at the end of the drain.
const RELEASE_WITHIN: Duration = Duration::from_millis(400);

impl Engine {
    /// Settles one attempt; returns what became of the job.
    pub(super) async fn settle(&self, held: &HeldJob, ending: Ending) -> JobOutcome {
        let outcome = match ending {
            Ending::Completed => JobOutcome::Done,
            Ending::Lost => JobOutcome::LeaseLost,
            Ending::Succeeded => return self.complete(&[held]).await,
            Ending::Failed { reason, next } => self.fail(held, &JobFailure::new(reason, next)).await,
            Ending::Snoozed { delay, reason } => {
                tracing::info!(reason, ?delay, "the job asked to run later");
                self.give_back(held, delay).await
            }
            Ending::Interrupted => {
                self.interrupt(held.lease(), held.kind());
                return JobOutcome::Released;
            }
        };
        self.count(held.lease().job, held.kind(), outcome);
        outcome
    }

    /// Completes jobs in one call; returns what became of the last one.
    async fn complete(&self, batch: &[&HeldJob]) -> JobOutcome {
        let leases: Vec<Lease> = batch.iter().map(|held| held.lease()).collect();
        let result = self.persist("complete", || self.queue.complete_all(&leases)).await;
        let lost: HashSet<JobId> = match &result {
            Ok(lost) => lost.iter().copied().collect(),
            Err(error) => {
                give_up(batch.len(), error);
                HashSet::new()
            }
        };
        let mut outcome = JobOutcome::Done;
        for held in batch {
            outcome = match &result {
                Err(_) => JobOutcome::Unsettled,
                Ok(_) if lost.contains(&held.lease().job) => JobOutcome::LeaseLost,
                Ok(_) => JobOutcome::Done,
            };
            self.count(held.lease().job, held.kind(), outcome);
        }
        outcome
    }

    async fn fail(&self, held: &HeldJob, failure: &JobFailure) -> JobOutcome {
        let (reason, lease) = (failure.reason.as_str(), held.lease());
        match self.persist("fail", || self.queue.fail(&lease, failure)).await {
            Ok(JobState::Dead) => {
                tracing::error!(reason, "the job is a dead letter now");
                JobOutcome::Dead
            }
            Ok(JobState::Discarded) => {
                tracing::info!(reason, "the job is discarded");
                JobOutcome::Discarded
            }
            Ok(_) => {
                tracing::warn!(reason, next = ?failure.next, "the attempt failed; the job runs again");
                JobOutcome::Retried
            }
            Err(error) if error.kind() == ErrorKind::LeaseLost => JobOutcome::LeaseLost,
            Err(error) => {
                give_up(1, &error);
                JobOutcome::Unsettled
            }
        }
    }

    async fn give_back(&self, held: &HeldJob, delay: Duration) -> JobOutcome {
        let leases = [held.lease()];
        match self.persist("release", || self.queue.release(&leases, delay)).await {
            Ok(lost) if lost.is_empty() => JobOutcome::Snoozed,
            Ok(_) => JobOutcome::LeaseLost,
            Err(error) => {
                give_up(1, &error);
                JobOutcome::Unsettled
            }
        }
    }

    /// Gives back what the shutdown interrupted; attempts are not counted, and other workers may start at once.
    pub(super) async fn release(&self, held: Vec<(Lease, String)>) {
        if held.is_empty() {
            return;
        }
        let leases: Vec<Lease> = held.iter().map(|(lease, _)| *lease).collect();
        match timeout(RELEASE_WITHIN, self.queue.release(&leases, Duration::ZERO)).await {
            Ok(Ok(lost)) => {
                for (lease, kind) in &held {
                    let lost = lost.contains(&lease.job);
                    let outcome = if lost { JobOutcome::LeaseLost } else { JobOutcome::Released };
                    self.count(lease.job, kind, outcome);
                }
                tracing::info!(jobs = held.len() - lost.len(), "the worker gave back the jobs it held");
            }
            Ok(Err(error)) => give_up(held.len(), &error),
            Err(_) => give_up(held.len(), &PortError::new(ErrorKind::Timeout, "jobs", "release")),
        }
    }

    fn count(&self, job: JobId, kind: &str, outcome: JobOutcome) {
        if outcome == JobOutcome::LeaseLost {
            tracing::warn!(%job, kind, "the lease was lost: another worker holds the job, or it has ended already; nothing was changed");
            self.metrics.add(&LEASE_LOST, &[kind], 1);
        }
        self.metrics.add(&FINISHED, &[kind, outcome.name()], 1);
    }

    /// Calls the queue until it answers, the lease is lost, it refuses three times, or the time to drain is over.
    async fn persist<T, F, Fut>(&self, operation: &'static str, call: F) -> PortResult<T>
    where
        F: Fn() -> Fut + Send,
        Fut: Future<Output = PortResult<T>> + Send,
    {
        let mut refusals = 0;
        loop {
            let error = match call().await {
                Err(error) if error.kind() != ErrorKind::LeaseLost => error,
                answer => {
                    self.outage.worked(operation);
                    return answer;
                }
            };
            refusals += u32::from(!error.is_retryable());
            if refusals >= REFUSALS || self.stop.is_cancelled() || !self.patient {
                return Err(error);
            }
            let pause = self.outage.failed(operation, &error);
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }
}

/// Completes jobs that were reported done: as many at once as came in while the call before was under way. One more call goes beside
/// it when no more fit into the inbox, since the database may have hands free.
pub(super) async fn settle_completions(engine: &Arc<Engine>, mut inbox: mpsc::Receiver<Holding>) {
    // They end with this future.
    let mut calls: JoinSet<()> = JoinSet::new();
    loop {
        let mut batch: Vec<Holding> = Vec::new();
        if calls.is_empty() {
            if inbox.recv_many(&mut batch, MOST).await == 0 {
                return;
            }
        } else {
            tokio::select! {
                ended = calls.join_next() => {
                    if let Some(Err(error)) = ended && error.is_panic() {
                        resume_unwind(error.into_panic());
                    }
                    continue;
                }
                () = engine.completions_wait.notified(), if calls.len() < MOST_CALLS => {}
            }
            // Not awaited: nobody would look after the call that is under way.
            batch.extend((0..MOST).map_while(|_| inbox.try_recv().ok()));
        }
        if batch.is_empty() {
            continue;
        }
        let engine = Arc::clone(engine);
        // A task each: a database may refuse a task that begins a write within another one.
        calls.spawn(async move {
            let held: Vec<&HeldJob> = batch.iter().map(|holding| &**holding).collect();
            engine.complete(&held).await;
        });
    }
}

/// Hands over a job whose handler succeeded.
pub(super) async fn hand_over(engine: &Engine, completions: &mpsc::Sender<Holding>, holding: Holding) {
    if let Err(TrySendError::Full(holding)) = completions.try_send(holding) {
        engine.completions_wait.notify_one();
        // Fails only when the worker has ended without waiting any longer; then the lease runs out.
        drop(completions.send(holding).await);
    }
}

fn give_up(jobs: usize, error: &PortError) {
    tracing::error!(
        jobs,
        error = error.chain(),
        "the queue did not take what became of jobs; they run again when their lease has run out"
    );
}
