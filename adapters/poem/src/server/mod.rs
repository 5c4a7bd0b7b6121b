//! Serves a poem endpoint over HTTP/1.1, hardened by default.
//!
//! poem's own server has no deadline for headers, no limit for bodies or connections, spins when accepting fails, and drops
//! a handler when its client goes away. So the accept loop is ours.

mod accept;
mod body_limit;
mod connection;
mod exchange;
mod position;
mod record;
mod settings;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use dolmen::{IdGenerator, Metrics, Shutdown};
use poem::endpoint::BoxEndpoint;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_util::task::TaskTracker;

pub(crate) use body_limit::BodyError;
pub(crate) use record::Facts;
pub use settings::HttpSettings;
pub(crate) use settings::{BindAddress, Limits};

use self::accept::accept;
use self::connection::Connection;

/// An endpoint and how to serve it.
pub(crate) struct HttpServer {
    pub(crate) endpoint: BoxEndpoint<'static>,
    pub(crate) limits: Limits,
    pub(crate) ids: Arc<dyn IdGenerator>,
    pub(crate) metrics: Metrics,
    /// Whether each request is worth a line of the log at `info`.
    pub(crate) logged: bool,
}

impl HttpServer {
    /// Serves until the drain, then finishes what is in flight, then returns; at once when that is asked for.
    pub(crate) async fn serve(self, listener: TcpListener, shutdown: &Shutdown) {
        let permits = Arc::new(Semaphore::new(self.limits.max_connections));
        let tasks = TaskTracker::new();
        let (server, local) = (Arc::new(self), listener.local_addr().ok());
        let incoming = accept(&listener, permits, |(stream, remote), permit| {
            let connection = Connection {
                server: Arc::clone(&server),
                tasks: tasks.clone(),
                shutdown: shutdown.clone(),
                local,
                remote,
            };
            tasks.spawn(async move {
                connection.serve(stream).await;
                drop(permit);
            });
        });
        tokio::select! {
            () = incoming => {}
            () = shutdown.draining() => {}
        }
        drop(listener);
        // Handlers whose clients went away are among the tasks as well: they run to their end or their deadline.
        tasks.close();
        tasks.wait().await;
    }
}

/// Where a server listens, once it does. Cheap to clone; it stays usable when the server runs elsewhere.
///
/// # Examples
/// ```no_run
/// # async fn example(web: dolmen_poem::WebRole) {
/// let mut address = web.address();
/// // … give `web` to the application and run it …
/// println!("http://{}", address.bound().await.unwrap());
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct BoundAddress(watch::Receiver<Option<SocketAddr>>);

impl BoundAddress {
    pub(crate) fn channel() -> (watch::Sender<Option<SocketAddr>>, Self) {
        let (sender, receiver) = watch::channel(None);
        (sender, Self(receiver))
    }

    /// Waits until the server listens; `None` when it never will.
    pub async fn bound(&mut self) -> Option<SocketAddr> {
        let address = self.0.wait_for(Option::is_some).await.ok()?;
        *address
    }
}

/// Listens on an address, or says which variable to change.
pub(crate) async fn listen(address: SocketAddr, variable: &str) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        let text = format!("cannot listen on {address} ({error}); set {variable} to a free port");
        io::Error::new(error.kind(), text)
    })
}
