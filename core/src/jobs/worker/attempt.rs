//! One attempt of one job: from the handler's start to what is to become of the job.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{ClaimedJob, NextStep};
use futures_util::FutureExt;
use tokio::time::{sleep_until, timeout};

use super::engine::Engine;
use super::held::Holding;
use super::measurements::{RUN_SECONDS, WAIT_SECONDS};
use super::stall::Watched;
use crate::backoff::{Backoff, seed_of};
use crate::jobs::{JobContext, JobError, JobVerdict};
use crate::registrar::JobRegistration;

/// How long a handler may take to return once its token has fired; then its future is dropped.
pub(super) const GRACE: Duration = Duration::from_millis(500);

/// How an attempt ended, before the queue knows.
#[derive(Debug)]
pub(super) enum Ending {
    /// Its own transaction completed the job.
    Completed,
    /// It returned `Ok(())`.
    Succeeded,
    /// It failed.
    Failed { reason: String, next: NextStep },
    /// It asked to run later.
    Snoozed { delay: Duration, reason: String },
    /// The shutdown came first.
    Interrupted,
    /// Somebody else holds the job.
    Lost,
}

/// What the handler did: returned, panicked, or was dropped.
enum Returned {
    Ok,
    Err(JobError),
    Panicked(String),
    Dropped,
}

/// A claimed job with all that its attempt needs.
pub(super) struct Attempt {
    pub(super) holding: Holding,
    /// Not part of the shared job: it may be large, and nobody needs it after the handler.
    payload: String,
}

impl Attempt {
    /// Takes the job into the table of leases, with its deadline and its token.
    pub(super) fn of(engine: &Arc<Engine>, mut job: ClaimedJob) -> Self {
        let payload = std::mem::take(&mut job.payload);
        Self { holding: Holding::of(engine, job), payload }
    }

    /// The span of everything that the attempt logs.
    pub(super) fn span(&self) -> tracing::Span {
        let job = &self.holding.job;
        let module = job.kind.split('.').next().unwrap_or_default();
        let tenant = job.scope.tenant().map(tracing::field::display);
        tracing::info_span!("job", module, kind = %job.kind, job = %job.lease.job, attempt = job.attempt, tenant)
    }

    /// Runs the handler to its end, its deadline, the loss of the lease or the end of the drain.
    pub(super) async fn run(&mut self, engine: &Engine) -> Ending {
        let kind = self.holding.kind();
        engine.metrics.observe(&WAIT_SECONDS, &[kind], self.holding.job.waited.as_secs_f64());
        let Some(registration) = engine.registry.find(kind) else {
            // Claims list the known kinds, so only a defect of a queue gets here.
            let reason = "job/unclaimable: this program does not know the kind".to_owned();
            return Ending::Snoozed { delay: Duration::from_mins(1), reason };
        };
        let (returned, timed_out) = self.call(registration).await;
        self.holding.start_settling();
        engine.metrics.observe(&RUN_SECONDS, &[self.holding.kind()], self.holding.elapsed().as_secs_f64());
        self.ending(engine, returned, timed_out)
    }

    async fn call(&mut self, registration: &JobRegistration) -> (Returned, bool) {
        let (held, payload) = (&*self.holding, std::mem::take(&mut self.payload));
        let context = JobContext::new(self.holding.shared(), registration.module);
        let handler = registration.handler.run(&payload, held.job.version, context);
        let mut handler = Watched::new(AssertUnwindSafe(handler).catch_unwind(), held);
        let mut timed_out = false;
        let mut returned = tokio::select! {
            biased;
            returned = &mut handler => Some(returned),
            () = held.cancel.fired() => None,
            () = sleep_until(held.deadline) => {
                timed_out = true;
                held.cancel.fire();
                None
            }
        };
        if returned.is_none() {
            returned = timeout(GRACE, &mut handler).await.ok();
        }
        let returned = match returned {
            None => Returned::Dropped,
            Some(Ok(Ok(()))) => Returned::Ok,
            Some(Ok(Err(error))) => Returned::Err(error),
            Some(Err(panic)) => Returned::Panicked(panic_message(&*panic)),
        };
        (returned, timed_out)
    }

    fn ending(&self, engine: &Engine, returned: Returned, timed_out: bool) -> Ending {
        if self.holding.is_completed() {
            if let Returned::Err(error) = &returned {
                tracing::warn!(reason = error.reason(), "the handler failed after it had completed the job");
            }
            return Ending::Completed;
        }
        if self.holding.is_lost() {
            return Ending::Lost;
        }
        match returned {
            Returned::Ok => Ending::Succeeded,
            Returned::Dropped if timed_out => self.failed(
                format!(
                    "job/timeout: the attempt took longer than {:?}; split the job or raise its TIMEOUT",
                    self.holding.job.timeout
                ),
                None,
            ),
            Returned::Dropped => Ending::Interrupted,
            Returned::Panicked(message) => self.failed(format!("job/panic: {message}"), None),
            Returned::Err(error) => match error.verdict() {
                JobVerdict::Retry | JobVerdict::RetryIn(_) if engine.stop.is_cancelled() => {
                    Ending::Interrupted
                }
                JobVerdict::Retry => self.failed(error.reason(), None),
                JobVerdict::RetryIn(delay) => self.failed(error.reason(), Some(delay)),
                JobVerdict::Snooze(delay) => Ending::Snoozed { delay, reason: error.reason() },
                JobVerdict::Bury => Ending::Failed { reason: error.reason(), next: NextStep::Bury },
                JobVerdict::Discard => Ending::Failed { reason: error.reason(), next: NextStep::Discard },
            },
        }
    }

    fn failed(&self, reason: String, delay: Option<Duration>) -> Ending {
        let seed = seed_of(self.holding.job.lease.job.as_uuid());
        let delay = delay.unwrap_or_else(|| Backoff::RETRY.delay(self.holding.job.attempt, seed));
        Ending::Failed { reason, next: NextStep::RetryIn(delay) }
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "the handler panicked without a message".to_owned())
}
