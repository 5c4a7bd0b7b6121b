//! Claims jobs while there is room for them, and starts their attempts.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{ClaimRequest, ClaimedJob};
use futures_util::poll;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::Instrument;

use super::attempt::{Attempt, Ending, GRACE};
use super::engine::Engine;
use super::held::Holding;
use crate::backoff::Dice;

/// The most jobs in one claim.
const MOST_AT_ONCE: u32 = 1_000;

/// How long room is gathered at most: little beside the jobs that take longer.
const GATHER: Duration = Duration::from_millis(5);

/// The claiming side of a worker, with the attempts under way.
pub(super) struct Claiming {
    engine: Arc<Engine>,
    completions: mpsc::Sender<Holding>,
    attempts: JoinSet<()>,
    request: ClaimRequest,
    pause: Duration,
    dice: Dice,
}

impl Claiming {
    pub(super) fn new(engine: Arc<Engine>, completions: mpsc::Sender<Holding>) -> Self {
        let settings = &engine.settings;
        let mut request = ClaimRequest::new(engine.id, engine.registry.kinds(), 0, settings.lease());
        request.queues = settings.queues().to_vec();
        let pause = settings.poll().0;
        Self { request, pause, dice: engine.dice(), attempts: JoinSet::new(), completions, engine }
    }

    /// Claims until the drain begins, then lets attempts finish until the time to drain is over.
    pub(super) async fn run(mut self) {
        let engine = Arc::clone(&self.engine);
        while !engine.drain.is_cancelled() {
            while self.attempts.try_join_next().is_some() {}
            if self.room() > 0 {
                self.gather_room(&engine).await;
                self.claim(&engine).await;
            } else {
                tokio::select! {
                    _ = self.attempts.join_next() => {}
                    () = engine.drain.cancelled() => {}
                }
            }
        }
        self.finish(&engine).await;
    }

    fn room(&self) -> u32 {
        let running = u32::try_from(self.attempts.len()).unwrap_or(u32::MAX);
        self.engine.settings.concurrency().saturating_sub(running)
    }

    /// Waits a moment for more room when there is little: short jobs end together, and a claim costs the same for one job as for
    /// a hundred.
    async fn gather_room(&mut self, engine: &Engine) {
        let wanted = engine.settings.concurrency() / 4;
        let deadline = Instant::now() + GATHER;
        while self.room() < wanted {
            tokio::select! {
                _ = self.attempts.join_next() => {}
                () = sleep_until(deadline) => return,
                () = engine.drain.cancelled() => return,
            }
        }
    }

    /// One look into the queue, and the pause that follows unless there is more.
    async fn claim(&mut self, engine: &Engine) {
        self.request.limit = self.room().min(MOST_AT_ONCE);
        let (shortest, longest) = engine.settings.poll();
        // Begun before the claim, so that a job that comes between the claim and the pause still ends the pause.
        let mut woken = pin!(engine.queue.wait(engine.settings.queues(), longest));
        let already_woken = poll!(woken.as_mut()).is_ready();
        // Never dropped half-way: the database might have handed out jobs that nobody would run.
        let jobs = match engine.queue.claim(&self.request).await {
            Ok(jobs) => jobs,
            Err(error) => {
                let pause = engine.outage.failed("claim", &error);
                tokio::select! {
                    () = sleep(pause) => {}
                    () = engine.drain.cancelled() => {}
                }
                return;
            }
        };
        engine.outage.worked("claim");
        engine.serves();
        let found = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
        self.start(engine, jobs).await;
        let quiet = found == 0 && !already_woken;
        self.pause = if quiet { (self.pause * 2).min(longest) } else { shortest };
        if found >= self.request.limit || (already_woken && found > 0) {
            return;
        }
        tokio::select! {
            () = woken, if !already_woken => self.pause = shortest,
            () = sleep(self.dice.around(self.pause)) => {}
            () = engine.look_again.notified() => {}
            () = engine.drain.cancelled() => {}
        }
    }

    async fn start(&mut self, engine: &Engine, jobs: Vec<ClaimedJob>) {
        if engine.drain.is_cancelled() {
            engine.release(jobs.into_iter().map(|job| (job.lease, job.kind)).collect()).await;
            return;
        }
        for job in jobs {
            let attempt = Attempt::of(engine, job);
            let span = attempt.span();
            let run = run(Arc::clone(&self.engine), attempt, self.completions.clone());
            self.attempts.spawn(run.instrument(span));
        }
    }

    async fn finish(mut self, engine: &Engine) {
        tokio::select! {
            () = all(&mut self.attempts) => {}
            () = engine.stop.cancelled() => {
                // Their tokens have fired with `stop`; those that do not return by then are dropped or left behind.
                drop(timeout(GRACE + GRACE / 5, all(&mut self.attempts)).await);
            }
        }
        let leases = engine.leases_to_release();
        self.attempts.abort_all();
        engine.release(leases).await;
    }
}

async fn all(attempts: &mut JoinSet<()>) {
    while attempts.join_next().await.is_some() {}
}

async fn run(engine: Arc<Engine>, mut attempt: Attempt, completions: mpsc::Sender<Holding>) {
    match attempt.run(&engine).await {
        // Fails only when the worker has ended without waiting any longer; then the lease runs out.
        Ending::Succeeded => drop(completions.send(attempt.holding).await),
        ending => {
            engine.settle(&attempt.holding, ending).await;
        }
    }
}
