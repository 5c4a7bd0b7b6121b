//! Takes connections, as many as allowed, and slows down when that fails.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

const FIRST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Where connections come from.
pub(super) trait Incoming {
    type Connection;
    fn next(&self) -> impl Future<Output = io::Result<Self::Connection>> + Send;
}

impl Incoming for TcpListener {
    type Connection = (TcpStream, SocketAddr);

    fn next(&self) -> impl Future<Output = io::Result<Self::Connection>> + Send {
        self.accept()
    }
}

/// Accepts for ever. A connection beyond the permits waits in the system's backlog, so that nothing of it costs memory.
pub(super) async fn accept<I: Incoming>(
    incoming: &I,
    permits: Arc<Semaphore>,
    connected: impl Fn(I::Connection, OwnedSemaphorePermit),
) {
    let mut pause = FIRST_PAUSE;
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        match incoming.next().await {
            Ok(connection) => {
                pause = FIRST_PAUSE;
                connected(connection, permit);
            }
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                // Most often the process has no file descriptor left; trying again at once would only burn the processor.
                tracing::warn!(%error, pause_ms = pause.as_millis(), "cannot accept connections");
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionAborted | ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Fails, or gives connections without end; counts how often it is asked.
    struct Scripted {
        fails: bool,
        calls: AtomicUsize,
    }

    impl Incoming for Scripted {
        type Connection = ();

        async fn next(&self) -> io::Result<()> {
            self.calls.fetch_add(1, Ordering::Relaxed);
            if self.fails { Err(io::Error::other("too many open files")) } else { Ok(()) }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn failures_slow_it_down() {
        let incoming = Scripted { fails: true, calls: AtomicUsize::new(0) };
        let accepting = accept(&incoming, Arc::new(Semaphore::new(1)), |(), _| {});
        assert!(tokio::time::timeout(Duration::from_mins(1), accepting).await.is_err());
        let calls = incoming.calls.into_inner();
        assert!((60..=70).contains(&calls), "{calls}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_permits_are_open_at_once() {
        let incoming = Scripted { fails: false, calls: AtomicUsize::new(0) };
        let open = Mutex::new(Vec::new());
        let permits = Arc::new(Semaphore::new(3));
        let accepting = accept(&incoming, permits, |(), permit| open.lock().unwrap().push(permit));
        assert!(tokio::time::timeout(Duration::from_secs(1), accepting).await.is_err());
        assert_eq!((incoming.calls.load(Ordering::Relaxed), open.lock().unwrap().len()), (3, 3));
    }
}
