//! Runs what is due, one job after the other: the worker of tests.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{ClaimRequest, ErrorKind, PortError, PortResult};
use tracing::Instrument;

use super::attempt::Attempt;
use super::engine::Engine;
use super::settings::WorkerSettings;
use crate::app_ports::AppPorts;
use crate::jobs::{JobOutcome, JobRun};
use crate::operations::ReadyFlag;
use crate::registry::Registry;
use crate::runner::Shutdown;

/// The most attempts of one call, unless said otherwise: a job that enqueues itself without a delay never ends.
const MOST_RUNS: usize = 10_000;

/// Runs due jobs in the caller's task: the worker of tests and scripts. Cheap to clone; made by
/// [`App::due_jobs`](crate::App::due_jobs).
#[derive(Debug, Clone)]
pub struct DueJobs {
    ports: AppPorts,
    registry: Arc<Registry>,
    most: usize,
}

impl DueJobs {
    pub(crate) fn new(ports: AppPorts, registry: Arc<Registry>) -> Self {
        Self { ports, registry, most: MOST_RUNS }
    }

    /// The same, that takes more than `attempts` for work without an end; else it is 10,000.
    #[must_use]
    pub fn at_most(mut self, attempts: usize) -> Self {
        self.most = attempts;
        self
    }

    /// Runs due jobs of known kinds, in the order of the queue and one at a time, until none is due; returns the
    /// attempts.
    ///
    /// Jobs that handlers enqueue are run too, if they are due. There is no heartbeat, no rescue and no retry of the
    /// queue's own errors, so that a test sees exactly what it asked for.
    ///
    /// # Errors
    /// The queue's; `Internal` when the work does not come to an end, or the queue does not take what became of a job.
    pub async fn run(&self) -> PortResult<Vec<JobRun>> {
        run_due_jobs(&self.ports, &self.registry, self.most).await
    }
}

async fn run_due_jobs(ports: &AppPorts, registry: &Arc<Registry>, most: usize) -> PortResult<Vec<JobRun>> {
    let ready = ReadyFlag::detached();
    let mut engine = Engine::new(ports, Arc::clone(registry), WorkerSettings::new(), &Shutdown::new(), ready);
    engine.patient = false;
    let engine = Arc::new(engine);
    let lease = Duration::from_hours(24);
    let request = ClaimRequest::new(engine.id, engine.registry.kinds(), 1, lease);
    let mut last_chances = request.clone();
    last_chances.last_chances = true;
    let mut runs = Vec::new();
    loop {
        let mut jobs = engine.queue.claim(&request).await?;
        if jobs.is_empty() {
            jobs = engine.queue.claim(&last_chances).await?;
        }
        let Some(job) = jobs.pop() else { return Ok(runs) };
        if runs.len() == most {
            return Err(error("jobs keep making due jobs; give the next one a delay"));
        }
        let mut attempt = Attempt::of(&engine, job);
        let span = attempt.span();
        let outcome = async {
            let ending = attempt.run(&engine).await;
            engine.settle(&attempt.holding, ending).await
        };
        let outcome = outcome.instrument(span).await;
        if outcome == JobOutcome::Unsettled {
            return Err(error("the queue did not take what became of a job; the log says why"));
        }
        let job = &attempt.holding.job;
        runs.push(JobRun { job: job.lease.job, kind: job.kind.clone(), attempt: job.attempt, outcome });
    }
}

fn error(detail: &'static str) -> PortError {
    PortError::new(ErrorKind::Internal, "jobs", "run due jobs").with_detail(detail)
}
