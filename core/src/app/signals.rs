//! Who asks the process to end: the operating system, or a test.

use std::future::Future;
use std::io;
use std::pin::Pin;

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
}

impl OsSignals {
    /// Listens from now on. Needs a tokio runtime with I/O.
    ///
    /// # Errors
    /// When the operating system refuses to report signals.
    #[cfg(unix)]
    pub fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
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
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
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
