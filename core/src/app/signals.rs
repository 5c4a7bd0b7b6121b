//! Who asks the process to end: the operating system, or a test.

use std::future::Future;
use std::io;
use std::pin::Pin;
#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use tokio::time::Instant;

/// Requests to end the process, one after another. The first one drains, the second one stops at once.
///
/// [`App::run`](crate::App::run) listens to the operating system; an embedder or a test brings its own source.
pub trait Signals: Send + 'static {
    /// Waits for the next request. Dropping the future loses none.
    fn next(&mut self) -> impl Future<Output = ()> + Send;
}

/// SIGTERM and SIGINT; on other systems than Unix, Ctrl-C.
///
/// From its making on it keeps signals until they are asked for. A program that has slow things to do before it runs makes
/// it first, and passes it to [`App::run_with`](crate::App::run_with): a signal that came meanwhile then ends it well.
#[derive(Debug)]
pub struct OsSignals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    /// When SIGTERM was last passed on.
    #[cfg(unix)]
    terminated_at: Option<Instant>,
}

/// Supervisors send SIGTERM to a process and to its group: within this time that is one request.
#[cfg(unix)]
const ONE_REQUEST: Duration = Duration::from_secs(1);

impl OsSignals {
    /// Listens from now on. Needs a tokio runtime with I/O.
    ///
    /// # Errors
    /// When the operating system refuses to report signals.
    #[cfg(unix)]
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(Self { terminate, interrupt, terminated_at: None })
    }

    /// Listens from now on.
    ///
    /// # Errors
    /// None on this system.
    #[cfg(not(unix))]
    pub fn new() -> io::Result<Self> {
        Ok(Self {})
    }
}

impl Signals for OsSignals {
    #[cfg(unix)]
    async fn next(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => {
                    let again = self.terminated_at.is_some_and(|at| at.elapsed() < ONE_REQUEST);
                    if !again {
                        self.terminated_at = Some(Instant::now());
                        return;
                    }
                }
                _ = self.interrupt.recv() => return,
            }
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// One request, when a future ends.
pub(super) struct OnceDone(pub(super) Option<Pin<Box<dyn Future<Output = ()> + Send>>>);

impl Signals for OnceDone {
    async fn next(&mut self) {
        match &mut self.0 {
            Some(done) => done.await,
            None => std::future::pending().await,
        }
        self.0 = None;
    }
}
