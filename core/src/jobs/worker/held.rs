//! The leases that this process holds, shared by attempts, heartbeat and shutdown.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant as StdInstant};

use dolmen_ports::{ClaimedJob, JobId, Lease, Metrics};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::measurements::IN_FLIGHT;

/// A lease that an attempt, or the settling of its result, depends on.
#[derive(Debug)]
pub(super) struct HeldLease {
    pub(super) job: Arc<ClaimedJob>,
    /// When the attempt's time is up; the lease is not extended beyond it.
    pub(super) deadline: Instant,
    /// Fires when the attempt should stop.
    pub(super) cancel: CancellationToken,
    lost: AtomicBool,
    settling: AtomicBool,
    /// When the running poll of the handler began, in milliseconds since `epoch`, plus one; zero between polls.
    poll_began: AtomicU64,
    stall_reported: AtomicBool,
    epoch: StdInstant,
}

impl HeldLease {
    pub(super) fn new(job: Arc<ClaimedJob>, deadline: Instant, cancel: CancellationToken) -> Self {
        Self {
            job,
            deadline,
            cancel,
            lost: AtomicBool::new(false),
            settling: AtomicBool::new(false),
            poll_began: AtomicU64::new(0),
            stall_reported: AtomicBool::new(false),
            epoch: StdInstant::now(),
        }
    }

    pub(super) fn lease(&self) -> Lease {
        self.job.lease
    }

    pub(super) fn kind(&self) -> &str {
        &self.job.kind
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
        let millis = u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX - 1);
        self.poll_began.store(millis + 1, Ordering::Release);
    }

    pub(super) fn leave_poll(&self) {
        self.poll_began.store(0, Ordering::Release);
        self.stall_reported.store(false, Ordering::Release);
    }

    /// How long the running poll has lasted, told once per poll that lasts longer than `limit`.
    pub(super) fn new_stall(&self, limit: Duration) -> Option<Duration> {
        let began = self.poll_began.load(Ordering::Acquire).checked_sub(1)?;
        let lasted = self.epoch.elapsed().saturating_sub(Duration::from_millis(began));
        (lasted > limit && !self.stall_reported.swap(true, Ordering::AcqRel)).then_some(lasted)
    }

    fn wants_extension(&self, now: Instant) -> bool {
        !self.is_lost() && (now < self.deadline || self.settling.load(Ordering::Acquire))
    }
}

/// All leases that this process holds.
#[derive(Debug)]
pub(super) struct HeldLeases {
    entries: Mutex<HashMap<Lease, Arc<HeldLease>>>,
    metrics: Metrics,
}

impl HeldLeases {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { entries: Mutex::new(HashMap::new()), metrics }
    }

    /// Holds a lease until the returned value is dropped.
    pub(super) fn hold(self: &Arc<Self>, held: HeldLease) -> Holding {
        let held = Arc::new(held);
        let mut entries = self.lock();
        entries.insert(held.lease(), Arc::clone(&held));
        self.measure(entries.len());
        drop(entries);
        Holding { held, table: Arc::clone(self) }
    }

    /// The leases to extend now.
    pub(super) fn to_extend(&self, now: Instant) -> Vec<Lease> {
        self.lock().values().filter(|held| held.wants_extension(now)).map(|held| held.lease()).collect()
    }

    /// The leases to give up: of attempts that did not end within `patience` after their time was up, since what runs them
    /// stands still.
    pub(super) fn to_give_up(&self, now: Instant, patience: Duration) -> Vec<Lease> {
        let gives_up = |held: &&Arc<HeldLease>| {
            !held.is_lost() && !held.settling.load(Ordering::Acquire) && now >= held.deadline + patience
        };
        self.lock().values().filter(gives_up).map(|held| held.lease()).collect()
    }

    /// The leases of attempts that still run.
    pub(super) fn unfinished(&self) -> Vec<Arc<HeldLease>> {
        let unfinished = |held: &&Arc<HeldLease>| !held.is_lost() && !held.settling.load(Ordering::Acquire);
        self.lock().values().filter(unfinished).map(Arc::clone).collect()
    }

    /// Notes that leases are lost, and cancels their attempts. When this process holds two leases of one job, the newer
    /// one may be the one that voided the older.
    pub(super) fn lose(&self, jobs: &[JobId]) {
        let entries = self.lock();
        for job in jobs {
            let of_job = || entries.values().filter(|held| held.lease().job == *job && !held.is_lost());
            let newest = of_job().map(|held| held.lease().token).max();
            let several = of_job().count() > 1;
            for held in of_job().filter(|held| !several || Some(held.lease().token) != newest) {
                held.lost.store(true, Ordering::Release);
                held.cancel.cancel();
            }
        }
    }

    /// All that is held.
    pub(super) fn all(&self) -> Vec<Arc<HeldLease>> {
        self.lock().values().map(Arc::clone).collect()
    }

    fn let_go(&self, lease: Lease) {
        let mut entries = self.lock();
        entries.remove(&lease);
        self.measure(entries.len());
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge of a few hundred jobs")]
    fn measure(&self, held: usize) {
        self.metrics.set(&IN_FLIGHT, &[], held as f64);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Lease, Arc<HeldLease>>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a lease in the table; dropping it lets go.
#[derive(Debug)]
pub(super) struct Holding {
    held: Arc<HeldLease>,
    table: Arc<HeldLeases>,
}

impl Deref for Holding {
    type Target = HeldLease;

    fn deref(&self) -> &HeldLease {
        &self.held
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.table.let_go(self.held.lease());
    }
}
