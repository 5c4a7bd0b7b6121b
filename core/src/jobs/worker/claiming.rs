//! Claims jobs while there is room for them, and starts their attempts.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use std::time::Duration;

use dolmen_ports::jobs::Reach;
use dolmen_ports::{ClaimRequest, ClaimedJob};
use futures_util::future::maybe_done;
use futures_util::poll;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::MOST_AT_ONCE;
use super::attempt::{Attempt, GRACE};
use super::engine::Engine;
use super::held::Holding;
use super::runners::Runners;
use super::shares::Shares;
use crate::backoff::Dice;

/// How long room is gathered at most: little beside the jobs that take longer.
const GATHER: Duration = Duration::from_millis(5);

/// The longest pause while hints of other processes do not come through.
const INTERRUPTED: Duration = Duration::from_secs(1);

/// The claiming side of a worker, with the attempts under way.
pub(super) struct Claiming {
    engine: Arc<Engine>,
    runners: Runners,
    /// Claimed by a call that was full, and begun while the database looks for more.
    taken: Vec<ClaimedJob>,
    shares: Shares,
    /// Before this it is not tried again to have the process empty for last chances.
    last_chances_after: Instant,
    pause: Duration,
    dice: Dice,
}

impl Claiming {
    pub(super) fn new(engine: Arc<Engine>, completions: mpsc::Sender<Holding>) -> Self {
        let (shares, pause) = (Shares::new(&engine), engine.settings.poll().0);
        Self {
            shares,
            last_chances_after: Instant::now(),
            pause,
            dice: engine.dice(),
            runners: Runners::new(Arc::clone(&engine), completions),
            taken: Vec::new(),
            engine,
        }
    }

    /// Claims until the drain begins, then lets attempts finish until the time to drain is over.
    pub(super) async fn run(mut self) {
        let engine = Arc::clone(&self.engine);
        while !engine.drain.is_cancelled() {
            if engine.last_chances.load(Ordering::Acquire) && Instant::now() >= self.last_chances_after {
                self.start(&engine).await;
                self.give_last_chances(&engine).await;
            } else if self.room() > 0 {
                self.gather_room(&engine).await;
                self.claim(&engine).await;
            } else {
                tokio::select! {
                    () = self.has_room(1) => {}
                    () = engine.drain.cancelled() => {}
                }
            }
        }
        self.start(&engine).await;
        self.finish(&engine).await;
    }

    fn room(&self) -> u32 {
        let used = u32::try_from(self.runners.under_way() + self.taken.len()).unwrap_or(u32::MAX);
        self.engine.settings.concurrency().saturating_sub(used)
    }

    /// Waits until there is room for so many.
    async fn has_room(&self, wanted: u32) {
        let used = self.engine.settings.concurrency().saturating_sub(wanted);
        let used = usize::try_from(used).unwrap_or(usize::MAX).saturating_sub(self.taken.len());
        self.runners.fewer_than(used + 1).await;
    }

    /// As much room as is worth a call.
    fn much_room(&self) -> u32 {
        self.engine.settings.concurrency() / 4
    }

    /// Waits a moment for more room when there is little: short jobs end together, and a claim costs the same for one job as for
    /// a hundred.
    async fn gather_room(&self, engine: &Engine) {
        tokio::select! {
            biased;
            () = self.has_room(self.much_room()) => {}
            () = engine.drain.cancelled() => {}
            () = sleep(GATHER) => {}
        }
    }

    /// One look into the queue, and the pause that follows unless there is more.
    async fn claim(&mut self, engine: &Engine) {
        let (shortest, longest) = pauses(engine);
        // Begun before the claim, so that a job that comes between the claim and the pause still ends the pause.
        let mut woken = pin!(engine.queue.wait(engine.settings.queues(), longest));
        let already_woken = poll!(woken.as_mut()).is_ready();
        let (mut found, mut is_more_likely) = (0, false);
        for mut request in self.shares.requests() {
            let has_share = request.limit < u32::MAX;
            let limit = self.room().min(MOST_AT_ONCE).min(request.limit);
            request.limit = limit;
            let mut claimed = pin!(maybe_done(take(engine, &request)));
            // The database gets to work, and what it gave before begins meanwhile.
            let _: Poll<()> = poll!(claimed.as_mut());
            let unbegun = self.begin(engine);
            claimed.as_mut().await;
            // Not before: a database may refuse a task that begins a write within another one.
            give_back(engine, unbegun).await;
            let Some(Ok(jobs)) = claimed.take_output() else { return };
            let taken = u32::try_from(jobs.len()).unwrap_or(u32::MAX);
            found += taken;
            is_more_likely |= limit > 0 && taken >= limit;
            self.taken = jobs;
            // The next call goes at once when this one was full and has left much room. What has a share of a queue takes its place
            // by beginning.
            let waits = taken == MOST_AT_ONCE && !has_share && self.room() >= self.much_room();
            if !waits {
                self.start(engine).await;
            }
        }
        let under_way = self.runners.under_way();
        let quiet = found == 0 && !already_woken;
        self.pause = if quiet { (self.pause * 2).min(longest) } else { shortest };
        if is_more_likely || (already_woken && found > 0) {
            return;
        }
        tokio::select! {
            () = woken, if !already_woken => self.pause = shortest,
            // A queue that had all it may have has room again.
            () = self.runners.fewer_than(under_way), if self.shares.is_any_full() => {}
            () = sleep(self.dice.around(self.pause)) => {}
            () = engine.look_again.notified() => {}
            () = engine.drain.cancelled() => {}
        }
    }

    /// Runs jobs that one more crash makes dead, each with nothing else in this process, so that it pays for its own crash
    /// only. Claims of others wait for that, at most the time of a lease, and then go on for ten times as long: long jobs must
    /// not keep a process from its work by turns.
    async fn give_last_chances(&mut self, engine: &Engine) {
        let nothing_runs = tokio::select! {
            () = self.runners.idle() => true,
            () = sleep(engine.settings.lease()) => false,
            () = engine.drain.cancelled() => false,
        };
        if !nothing_runs {
            self.last_chances_after = Instant::now() + 10 * engine.settings.lease();
        }
        let mut found = false;
        if nothing_runs {
            for mut request in self.shares.requests() {
                (request.last_chances, request.limit) = (true, 1);
                let Ok(jobs) = take(engine, &request).await else { return };
                found |= !jobs.is_empty();
                self.taken = jobs;
                self.start(engine).await;
                tokio::select! {
                    () = self.runners.idle() => {}
                    () = engine.drain.cancelled() => {}
                }
            }
        }
        // Upkeep tells again when there are more.
        engine.last_chances.store(found, Ordering::Release);
    }

    /// Starts what was taken, or gives it back when nothing may begin any more.
    async fn start(&mut self, engine: &Engine) {
        let unbegun = self.begin(engine);
        give_back(engine, unbegun).await;
    }

    /// Starts what was taken, or returns it when nothing may begin any more.
    fn begin(&mut self, engine: &Engine) -> Vec<ClaimedJob> {
        let jobs = std::mem::take(&mut self.taken);
        if engine.drain.is_cancelled() {
            return jobs;
        }
        let (shares, engine_of) = (&self.shares, &self.engine);
        self.runners.start(jobs.into_iter().map(|job| {
            let place = shares.place_of(&job.queue);
            (Attempt::of(engine_of, job), place)
        }));
        // Whoever stops all held jobs may have come too early for these.
        if engine.stop.is_cancelled() {
            engine.held.stop_all();
        }
        Vec::new()
    }

    async fn finish(self, engine: &Engine) {
        tokio::select! {
            () = self.runners.idle() => {}
            () = engine.stop.cancelled() => {
                // Their tokens have fired with `stop`; those that do not return by then are dropped or left behind.
                drop(timeout(GRACE + GRACE / 5, self.runners.idle()).await);
            }
        }
        let leases = engine.leases_to_release();
        drop(self.runners);
        engine.release(leases).await;
    }
}

/// One claim, or the pause that an outage of the queue asks for.
///
/// While handlers block all threads, or the process stands still, nobody reads the answer, and nobody extends leases that are not
/// known yet. What comes so late that the next heartbeat may miss it is given back: another worker may have begun it by now.
async fn take(engine: &Engine, request: &ClaimRequest) -> Result<Vec<ClaimedJob>, ()> {
    let asked = Instant::now();
    // Never dropped half-way: the database might have handed out jobs that nobody would run.
    match engine.queue.claim(request).await {
        Ok(jobs) => {
            engine.outage.worked("claim");
            engine.serves();
            let taken = asked.elapsed();
            if jobs.is_empty() || taken < 2 * engine.settings.heartbeat() {
                return Ok(jobs);
            }
            tracing::warn!(
                jobs = jobs.len(),
                ?taken,
                "a claim was answered too late: its jobs are given back"
            );
            give_back(engine, jobs).await;
            Ok(Vec::new())
        }
        Err(error) => {
            let pause = engine.outage.failed("claim", &error);
            tokio::select! {
                () = sleep(pause) => {}
                () = engine.drain.cancelled() => {}
            }
            Err(())
        }
    }
}

/// The shortest and the longest pause between two looks.
fn pauses(engine: &Engine) -> (Duration, Duration) {
    let (shortest, longest) = engine.settings.poll();
    match engine.queue.reach() {
        Reach::Process => (shortest, longest),
        Reach::Database => (shortest, longest * 2),
        // Others may still believe that their hints are heard.
        Reach::Interrupted => (shortest, longest.min(INTERRUPTED.max(shortest))),
    }
}

/// Gives back jobs whose attempts have not begun.
async fn give_back(engine: &Engine, jobs: Vec<ClaimedJob>) {
    engine.release(jobs.into_iter().map(|job| (job.lease, job.kind)).collect()).await;
}
