//! The tasks that run attempts: each runs one at a time, and takes the next when that has ended.
//!
//! No attempt waits for another one: there are never fewer runners than attempts under way.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use futures_util::poll;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tracing::Instrument;

use super::attempt::{Attempt, Ending};
use super::engine::Engine;
use super::held::Holding;
use super::settle::hand_over;

/// The runners of a worker, as many as were ever needed at once. They end when this is dropped, at the next await of what they run.
pub(super) struct Runners {
    tasks: JoinSet<()>,
    bench: Arc<Bench>,
    engine: Arc<Engine>,
    completions: mpsc::Sender<Holding>,
}

/// Where attempts wait for a runner to take them, and runners for attempts.
struct Bench {
    waiting: Mutex<VecDeque<Started>>,
    /// A permit for each attempt that waits.
    filled: Semaphore,
    /// Attempts that were started and have not ended.
    under_way: AtomicUsize,
    /// With fewer than this under way, `ended` is told.
    wanted: AtomicUsize,
    ended: Notify,
}

/// An attempt that has a runner, or will have one as soon as the runtime lets it.
struct Started {
    attempt: Attempt,
    under_way: UnderWay,
}

/// Counts an attempt until it is dropped, and keeps its place in a queue that has a limit.
struct UnderWay {
    bench: Arc<Bench>,
    place: Option<OwnedSemaphorePermit>,
}

impl Runners {
    pub(super) fn new(engine: Arc<Engine>, completions: mpsc::Sender<Holding>) -> Self {
        let bench = Bench {
            waiting: Mutex::default(),
            filled: Semaphore::new(0),
            under_way: AtomicUsize::new(0),
            wanted: AtomicUsize::new(0),
            ended: Notify::new(),
        };
        Self { tasks: JoinSet::new(), bench: Arc::new(bench), engine, completions }
    }

    /// Starts attempts, each with its place.
    pub(super) fn start(&mut self, attempts: impl Iterator<Item = (Attempt, Option<OwnedSemaphorePermit>)>) {
        let started: Vec<Started> = attempts
            .map(|(attempt, place)| Started { attempt, under_way: UnderWay::new(&self.bench, place) })
            .collect();
        let added = started.len();
        self.bench.lock().extend(started);
        // One that panicked has ended; the panics of handlers are caught while they run.
        while self.tasks.try_join_next().is_some() {}
        while self.tasks.len() < self.under_way() {
            self.tasks.spawn(run_each(
                Arc::clone(&self.bench),
                Arc::clone(&self.engine),
                self.completions.clone(),
            ));
        }
        self.bench.filled.add_permits(added);
    }

    /// How many attempts have begun or wait for their turn of the runtime, and have not ended.
    pub(super) fn under_way(&self) -> usize {
        self.bench.under_way.load(Ordering::SeqCst)
    }

    /// Waits until fewer than this many are under way. May be dropped; only one waits at a time.
    pub(super) async fn fewer_than(&self, wanted: usize) {
        // Before the look, so that whoever ends after it sees it.
        self.bench.wanted.store(wanted, Ordering::SeqCst);
        while self.under_way() >= wanted {
            self.bench.ended.notified().await;
        }
        self.bench.wanted.store(0, Ordering::SeqCst);
    }

    /// Waits until all have ended. May be dropped.
    pub(super) async fn idle(&self) {
        self.fewer_than(1).await;
    }
}

impl Drop for Runners {
    fn drop(&mut self) {
        // What no runner will take any more holds on to the bench.
        drop(std::mem::take(&mut *self.bench.lock()));
    }
}

impl Bench {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Started>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    fn new(bench: &Arc<Bench>, place: Option<OwnedSemaphorePermit>) -> Self {
        bench.under_way.fetch_add(1, Ordering::SeqCst);
        Self { bench: Arc::clone(bench), place }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        // First, so that who hears of the end finds the place free.
        drop(self.place.take());
        let left = self.bench.under_way.fetch_sub(1, Ordering::SeqCst) - 1;
        if left < self.bench.wanted.load(Ordering::SeqCst) {
            self.bench.ended.notify_one();
        }
    }
}

async fn run_each(bench: Arc<Bench>, engine: Arc<Engine>, completions: mpsc::Sender<Holding>) {
    loop {
        let mut filled = pin!(bench.filled.acquire());
        let filled = match poll!(filled.as_mut()) {
            Poll::Pending => filled.await,
            Poll::Ready(filled) => {
                // Whoever the attempt before has woken goes first, for this one may block the thread.
                let_others_go_first().await;
                filled
            }
        };
        // Never closed.
        let Ok(filled) = filled else { return };
        filled.forget();
        let next = bench.lock().pop_front();
        if let Some(Started { attempt, under_way }) = next {
            let span = attempt.span();
            run(&engine, attempt, &completions).instrument(span).await;
            drop(under_way);
        }
    }
}

/// To the end of the thread's queue, where other threads find it. What yields by `yield_now` waits for its own thread alone.
async fn let_others_go_first() {
    let mut has_yielded = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn run(engine: &Engine, mut attempt: Attempt, completions: &mpsc::Sender<Holding>) {
    match attempt.run(engine).await {
        Ending::Succeeded => hand_over(engine, completions, attempt.holding).await,
        ending => {
            // Apart, so that the future of each attempt is not as large as that of a failure.
            Box::pin(engine.settle(&attempt.holding, ending)).await;
        }
    }
}
