//! The heartbeat: a thread of its own, so that a handler that blocks the runtime cannot stop it.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{BoxError, ErrorKind, Heartbeat, PortError, PortResult};
use futures_util::FutureExt;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::measurements::STALLED;

/// How long a handler may keep a thread of the runtime before it is told of.
const STALL: Duration = Duration::from_secs(1);
/// How often the thread looks for such handlers.
const LOOK: Duration = Duration::from_millis(500);
/// How long the end of the worker waits for the end of the thread.
const END_WITHIN: Duration = Duration::from_millis(500);

/// The running thread; dropping it asks the thread to end.
#[derive(Debug)]
pub(super) struct HeartbeatThread {
    stop: CancellationToken,
    ended: oneshot::Receiver<()>,
}

impl HeartbeatThread {
    /// Starts the thread with a runtime of its own.
    pub(super) fn start(engine: Arc<Engine>) -> Result<Self, BoxError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        let (end, ended) = oneshot::channel::<()>();
        std::thread::Builder::new().name("dolmen-heartbeat".to_owned()).spawn(move || {
            runtime.block_on(stopped.run_until_cancelled(beat(&engine)));
            drop(end);
        })?;
        Ok(Self { stop, ended })
    }

    /// Ends the thread and waits for it a moment.
    pub(super) async fn end(mut self) {
        self.stop.cancel();
        drop(timeout(END_WITHIN, &mut self.ended).await);
    }
}

impl Drop for HeartbeatThread {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn beat(engine: &Engine) {
    let interval = engine.settings.heartbeat();
    let mut connection = None;
    let mut next = Instant::now() + interval;
    loop {
        sleep_until(next.min(Instant::now() + LOOK)).await;
        report_stalls(engine);
        if Instant::now() < next {
            continue;
        }
        // A connection that hangs, or an adapter that panics, must not end the heartbeats of all jobs.
        let extended =
            timeout(interval, AssertUnwindSafe(extend(engine, &mut connection)).catch_unwind()).await;
        let result = match extended {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(error(ErrorKind::Internal, "the adapter panicked")),
            Err(_) => Err(error(ErrorKind::Timeout, "the database did not answer in time")),
        };
        next = Instant::now() + interval;
        match result {
            Ok(()) => engine.outage.worked("extend"),
            Err(error) => {
                connection = None;
                let pause = engine.outage.failed("extend", &error);
                next = next.min(Instant::now() + pause);
            }
        }
    }
}

async fn extend(engine: &Engine, connection: &mut Option<Box<dyn Heartbeat>>) -> PortResult<()> {
    let leases = engine.held.to_extend(Instant::now());
    let given_up = engine.held.to_give_up(Instant::now(), engine.settings.lease());
    if leases.is_empty() && given_up.is_empty() {
        return Ok(());
    }
    if connection.is_none() {
        *connection = Some(engine.queue.open_heartbeat().await?);
    }
    let Some(connection) = connection else { return Ok(()) };
    if !given_up.is_empty() {
        // The claim that they came with may go on for the sake of other jobs.
        connection.give_up(&given_up).await?;
        engine.held.lose(&given_up.iter().map(|lease| lease.job).collect::<Vec<_>>());
    }
    if !leases.is_empty() {
        let lost = connection.extend(&leases, engine.settings.lease()).await?;
        engine.held.lose(&lost);
    }
    Ok(())
}

fn report_stalls(engine: &Engine) {
    for held in engine.held.all() {
        if let Some(lasted) = held.new_stall(STALL) {
            engine.metrics.add(&STALLED, &[held.kind()], 1);
            tracing::warn!(
                kind = held.kind(),
                job = %held.lease().job,
                ?lasted,
                "job/stall: the handler blocks a thread of the runtime; move blocking work to spawn_blocking"
            );
        }
    }
}

fn error(kind: ErrorKind, detail: &'static str) -> PortError {
    PortError::new(kind, "jobs", "extend").with_detail(detail)
}
