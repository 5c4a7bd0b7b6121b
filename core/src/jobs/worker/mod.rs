//! The worker: claims jobs, runs their handlers, tells the queue what became of them.
//!
//! From a claim to its end: `claiming` takes jobs and starts an `attempt` of each on one of the `runners`; `heartbeat`
//! extends their leases; `settle` tells the queue; `upkeep` rescues and removes. They share the `engine`.

mod attempt;
mod cancel;
mod claiming;
mod drain;
mod engine;
mod heartbeat;
mod held;
mod measurements;
mod runners;
mod settings;
mod settle;
mod shares;
mod stall;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::BoxError;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::sleep;

use self::claiming::Claiming;
pub use self::drain::DueJobs;
use self::engine::Engine;
use self::heartbeat::HeartbeatThread;
pub(crate) use self::held::HeldJob;
pub use self::settings::WorkerSettings;
use self::settle::settle_completions;
use self::upkeep::keep_house;
use crate::role::Role;
use crate::runner::{RoleRunner, RunContext};
use crate::schedule::{Schedules, watch};

/// The most jobs in one call of the queue, to claim or to complete: with more of them a call costs the database no less for a job.
const MOST_AT_ONCE: u32 = 2_000;

/// How long the last completions may take once the time to drain is over.
const LAST_COMPLETIONS: Duration = Duration::from_secs(1);

/// Runs jobs in the role `worker`.
///
/// # Contract
/// 1. A job runs at least once. Its effects in the database happen exactly once if the handler writes them in
///    [`JobContext::complete`](crate::JobContext::complete); anything else may happen again.
/// 2. A handler that panics, fails or exceeds its kind's timeout has failed that attempt, and nothing else. It is tried
///    again after 0 to 5 s, 15 s, 45 s, 2 min, 7 min, 20 min, 1 h, 3 h, then 6 h, spread evenly, until the attempts of
///    its kind are spent; with the usual ten that takes about 5 hours, at most about 10.
/// 3. A job whose process dies starts again at most 4 seconds after its lease has run out, if a worker has room; the
///    third death buries it. Before that it runs once with nothing else in its process, so that no job is buried for the
///    deaths that another one caused.
/// 4. When the drain begins, nothing new is claimed and what runs may finish. When the time to drain is over, handlers
///    are told to stop, have half a second to return, and their jobs are given back without a spent attempt.
/// 5. While the queue does not answer, the worker waits and tries again; it logs the begin and the end of the outage.
/// 6. A handler that blocks its thread does not stop the heartbeats, and is told of after a second. A claim whose answer could not be
///    read for two thirds of the lease is given back.
#[derive(Debug)]
pub struct Worker {
    settings: WorkerSettings,
}

impl Worker {
    /// A worker.
    pub fn new(settings: WorkerSettings) -> Self {
        Self { settings }
    }
}

#[async_trait]
impl RoleRunner for Worker {
    fn role(&self) -> Option<Role> {
        Some(Role::Worker)
    }

    fn name(&self) -> &'static str {
        "worker"
    }

    async fn run(self: Box<Self>, context: RunContext) -> Result<(), BoxError> {
        let engine = Arc::new(Engine::new(
            context.ports(),
            Arc::clone(&context.registry),
            self.settings,
            context.shutdown(),
            context.ready.clone(),
        ));
        let heartbeat = HeartbeatThread::start(Arc::clone(&engine))?;
        let room = usize::try_from(engine.settings.concurrency().min(MOST_AT_ONCE))?;
        let (completions, inbox) = mpsc::channel(room);
        let stopping = Arc::clone(&engine);
        // Ends with this future too.
        let mut stop = JoinSet::new();
        stop.spawn(async move {
            stopping.stop.cancelled().await;
            stopping.held.stop_all();
        });
        // A task each: a database may refuse a task that begins a write within another one. They end with this future.
        let mut parts = JoinSet::new();
        let settling = Arc::clone(&engine);
        parts.spawn(async move {
            tokio::select! {
                () = settle_completions(&settling, inbox) => {}
                () = async { settling.stop.cancelled().await; sleep(LAST_COMPLETIONS).await } => {}
            }
        });
        parts.spawn(Claiming::new(Arc::clone(&engine), completions).run());
        let schedules = Schedules::new(context.ports(), Arc::clone(&context.schedules));
        let (metrics, draining) = (context.ports().metrics().clone(), engine.drain.clone());
        parts.spawn(async move {
            tokio::select! {
                () = watch(schedules, metrics) => {}
                () = draining.cancelled() => {}
            }
        });
        keep_house(&engine, &mut parts);
        while let Some(part) = parts.join_next().await {
            part?;
        }
        heartbeat.end().await;
        Ok(())
    }
}
