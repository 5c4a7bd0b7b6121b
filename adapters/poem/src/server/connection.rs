//! One client's connection.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use dolmen::Shutdown;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::HttpServer;
use super::exchange::Exchange;

const MAX_HEADER_BYTES: usize = 32 * 1024;

pub(super) struct Connection {
    pub(super) server: Arc<HttpServer>,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: Shutdown,
    pub(super) local: Option<SocketAddr>,
    pub(super) remote: SocketAddr,
}

impl Connection {
    /// Serves until the client leaves; after the drain began, until the request at hand is answered.
    pub(super) async fn serve(self, stream: TcpStream) {
        // Answers are written whole, so waiting for more to send only delays them.
        drop(stream.set_nodelay(true));
        let service = service_fn(async |request| {
            let exchange = Exchange::new(&self, request);
            Ok::<_, Infallible>(exchange.answer(&self.tasks).await)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.server.limits.header_deadline)
            .max_header_size(MAX_HEADER_BYTES)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = self.shutdown.draining() => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = self.shutdown.stopping() => Ok(()),
            }
        };
        if let Err(error) = ended {
            // What a client does to its connection is no failure of ours.
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
