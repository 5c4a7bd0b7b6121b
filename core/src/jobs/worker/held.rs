//! The leases that this process holds, shared by attempts, heartbeat and shutdown.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dolmen_ports::{ClaimedJob, Database, JobId, Lease, Metrics, ModuleName, PortResult, WriteTx};
use slab::Slab;
use tokio::time::Instant;

use super::cancel::Cancel;
use super::engine::Engine;
use super::measurements::IN_FLIGHT;

/// A job that this process holds: what its handler, the heartbeat and the settling of its result share.
#[derive(Debug)]
pub(crate) struct HeldJob {
    /// Without its payload.
    pub(crate) job: ClaimedJob,
    engine: Arc<Engine>,
    /// When the attempt's time is up; the lease is not extended beyond it.
    pub(crate) deadline: Instant,
    /// Fires when the attempt should stop.
    pub(crate) cancel: Cancel,
    /// A transaction of the handler's completed it.
    completed: AtomicBool,
    lost: AtomicBool,
    settling: AtomicBool,
    started: Instant,
    /// When the running poll of the handler began, in milliseconds since `started`, plus one; zero between polls.
    poll_began: AtomicU64,
    stall_reported: AtomicBool,
}

impl HeldJob {
    fn new(engine: Arc<Engine>, job: ClaimedJob) -> Self {
        let started = Instant::now();
        Self {
            deadline: started + job.timeout,
            job,
            engine,
            cancel: Cancel::default(),
            completed: AtomicBool::new(false),
            lost: AtomicBool::new(false),
            settling: AtomicBool::new(false),
            poll_began: AtomicU64::new(0),
            stall_reported: AtomicBool::new(false),
            started,
        }
    }

    pub(super) fn lease(&self) -> Lease {
        self.job.lease
    }

    pub(super) fn kind(&self) -> &str {
        &self.job.kind
    }

    /// Since the attempt began.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The database as a module sees it.
    pub(crate) fn database(&self, module: ModuleName) -> Database {
        self.engine.database.for_module(module)
    }

    /// Completes the job in a transaction of its handler.
    pub(crate) async fn complete(&self, tx: &mut WriteTx) -> PortResult<()> {
        self.engine.queue.complete(tx, &self.lease()).await
    }

    /// That transaction has committed.
    pub(crate) fn note_completion(&self) {
        self.completed.store(true, Ordering::Release);
    }

    pub(super) fn is_completed(&self) -> bool {
        self.completed.load(Ordering::Acquire)
    }

    /// Whether the queue said that somebody else holds the job.
    pub(super) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Acquire)
    }

    /// From here on the handler no longer runs, and only the result has to reach the queue.
    pub(super) fn start_settling(&self) {
        self.settling.store(true, Ordering::Release);
    }

    pub(super) fn enter_poll(&self) {
        let millis = u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.poll_began.store(millis + 1, Ordering::Release);
    }

    pub(super) fn leave_poll(&self) {
        self.poll_began.store(0, Ordering::Release);
        self.stall_reported.store(false, Ordering::Release);
    }

    /// How long the running poll has lasted, told once per poll that lasts longer than `limit`.
    pub(super) fn new_stall(&self, limit: Duration) -> Option<Duration> {
        let began = self.poll_began.load(Ordering::Acquire).checked_sub(1)?;
        let lasted = self.elapsed().saturating_sub(Duration::from_millis(began));
        (lasted > limit && !self.stall_reported.swap(true, Ordering::AcqRel)).then_some(lasted)
    }

    fn wants_extension(&self, now: Instant) -> bool {
        !self.is_lost() && (now < self.deadline || self.settling.load(Ordering::Acquire))
    }
}

/// All leases that this process holds.
#[derive(Debug)]
pub(crate) struct HeldLeases {
    entries: Mutex<Slab<Arc<HeldJob>>>,
    metrics: Metrics,
}

impl HeldLeases {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { entries: Mutex::new(Slab::new()), metrics }
    }

    /// Its place in the table.
    fn insert(&self, held: &Arc<HeldJob>) -> usize {
        let mut entries = self.lock();
        let place = entries.insert(Arc::clone(held));
        self.measure(entries.len());
        place
    }

    /// The leases to extend now.
    pub(super) fn to_extend(&self, now: Instant) -> Vec<Lease> {
        each(&self.lock()).filter(|held| held.wants_extension(now)).map(|held| held.lease()).collect()
    }

    /// The leases to give up: of attempts that did not end within `patience` after their time was up, since what runs them
    /// stands still.
    pub(super) fn to_give_up(&self, now: Instant, patience: Duration) -> Vec<Lease> {
        let gives_up = |held: &&Arc<HeldJob>| {
            !held.is_lost() && !held.settling.load(Ordering::Acquire) && now >= held.deadline + patience
        };
        each(&self.lock()).filter(gives_up).map(|held| held.lease()).collect()
    }

    /// The leases of attempts that still run.
    pub(super) fn unfinished(&self) -> Vec<Arc<HeldJob>> {
        let unfinished = |held: &&Arc<HeldJob>| !held.is_lost() && !held.settling.load(Ordering::Acquire);
        each(&self.lock()).filter(unfinished).map(Arc::clone).collect()
    }

    /// Notes that leases are lost, and cancels their attempts. When this process holds two leases of one job, the newer
    /// one may be the one that voided the older.
    pub(super) fn lose(&self, jobs: &[JobId]) {
        let entries = self.lock();
        for job in jobs {
            let of_job = || each(&entries).filter(|held| held.lease().job == *job && !held.is_lost());
            let newest = of_job().map(|held| held.lease().token).max();
            let several = of_job().count() > 1;
            for held in of_job().filter(|held| !several || Some(held.lease().token) != newest) {
                held.lost.store(true, Ordering::Release);
                held.cancel.fire();
            }
        }
    }

    /// Tells all attempts to stop.
    pub(super) fn stop_all(&self) {
        for held in each(&self.lock()) {
            held.cancel.fire();
        }
    }

    /// All that is held.
    pub(super) fn all(&self) -> Vec<Arc<HeldJob>> {
        each(&self.lock()).map(Arc::clone).collect()
    }

    fn let_go(&self, place: usize) {
        let mut entries = self.lock();
        drop(entries.try_remove(place));
        self.measure(entries.len());
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge of a few hundred jobs")]
    fn measure(&self, held: usize) {
        self.metrics.set(&IN_FLIGHT, &[], held as f64);
    }

    fn lock(&self) -> MutexGuard<'_, Slab<Arc<HeldJob>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn each(entries: &Slab<Arc<HeldJob>>) -> impl Iterator<Item = &Arc<HeldJob>> {
    entries.iter().map(|(_, held)| held)
}

/// Keeps a job in the table of leases; dropping it lets go.
#[derive(Debug)]
pub(super) struct Holding {
    held: Arc<HeldJob>,
    place: usize,
}

impl Holding {
    pub(super) fn of(engine: &Arc<Engine>, job: ClaimedJob) -> Self {
        let held = Arc::new(HeldJob::new(Arc::clone(engine), job));
        let place = engine.held.insert(&held);
        Self { held, place }
    }

    pub(super) fn shared(&self) -> Arc<HeldJob> {
        Arc::clone(&self.held)
    }
}

impl Deref for Holding {
    type Target = HeldJob;

    fn deref(&self) -> &HeldJob {
        &self.held
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.held.engine.held.let_go(self.place);
    }
}
