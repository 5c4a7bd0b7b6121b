//! One connection through the proxy.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::sync::watch;

use super::proxy::{Network, Shared};

/// How long the answer to a cut request is waited for: a server that does not answer is cut off all the same.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);
const PIECE: usize = 16 * 1024;

/// How a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
    /// Reset once the server has answered.
    Cut,
}

/// Passes bytes on in both directions until one side closes, or the network cuts it.
pub(super) async fn run(mut client: TcpStream, mut server: TcpStream, shared: &Shared) {
    let _open = Open::count(&shared.open);
    // Latency is the network's to add.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let mut resets = shared.resets.subscribe();
    let end = {
        let (mut from_client, mut to_client) = client.split();
        let (mut from_server, mut to_server) = server.split();
        let asks = asks(&mut from_client, &mut to_server, shared);
        let answers = answers(&mut from_server, &mut to_client, shared);
        tokio::pin!(asks, answers);
        tokio::select! {
            end = &mut asks => end,
            end = &mut answers => end,
            _ = resets.changed() => End::Reset,
        }
    };
    if end == End::Cut {
        drop(tokio::time::timeout(ANSWER_WITHIN, server.readable()).await);
    }
    if end != End::Closed {
        drop(client.set_zero_linger());
    }
}

/// From the client to the server; ends with a reset after a request whose answer is to be cut off.
async fn asks(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>, shared: &Shared) -> End {
    let mut piece = vec![0; PIECE];
    let mut network = shared.network.subscribe();
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return End::Closed };
        let sent = piece.get(..length).unwrap_or_default();
        if shared.loses_request() {
            return End::Reset;
        }
        let cut = shared.cuts(sent);
        let trickles = matches!(*network.borrow(), Network::Trickle(_));
        let delivered = tokio::select! {
            delivered = deliver(sent, to, &mut network) => delivered,
            // What trickles is on its way for minutes; nobody would wait for it to arrive.
            () = is_gone(from), if trickles => return End::Closed,
        };
        if delivered.is_err() {
            return End::Closed;
        }
        if cut {
            return End::Cut;
        }
    }
}

/// Waits until the client has closed the connection; for good when it sends something instead.
async fn is_gone(client: &mut ReadHalf<'_>) {
    if let Ok(1..) = client.peek(&mut [0]).await {
        std::future::pending::<()>().await;
    }
}

async fn answers(from: &mut ReadHalf<'_>, to: &mut WriteHalf<'_>, shared: &Shared) -> End {
    let mut piece = vec![0; PIECE];
    let mut network = shared.network.subscribe();
    loop {
        let Ok(length @ 1..) = from.read(&mut piece).await else { return End::Closed };
        if deliver(piece.get(..length).unwrap_or_default(), to, &mut network).await.is_err() {
            return End::Closed;
        }
    }
}

/// Delivers as the network does.
async fn deliver(
    piece: &[u8],
    to: &mut WriteHalf<'_>,
    network: &mut watch::Receiver<Network>,
) -> std::io::Result<()> {
    let weather = *network.borrow_and_update();
    match weather {
        Network::Clear => to.write_all(piece).await,
        Network::Slow(delay) => {
            tokio::time::sleep(delay).await;
            to.write_all(piece).await
        }
        Network::Trickle(rate) => trickle(piece, rate, to).await,
        // For good: who waits for the network to clear would deliver what it had swallowed.
        Network::Dark => std::future::pending().await,
    }
}

async fn trickle(piece: &[u8], rate: u32, to: &mut WriteHalf<'_>) -> std::io::Result<()> {
    // Ten times a second, so that a rate is smooth enough and cheap.
    let step = (rate / 10).max(1);
    let pause = Duration::from_secs(1) * step / rate.max(1);
    for part in piece.chunks(usize::try_from(step).unwrap_or(usize::MAX)) {
        tokio::time::sleep(pause).await;
        to.write_all(part).await?;
    }
    Ok(())
}

/// Counts an open connection for as long as it lives.
struct Open<'a>(&'a AtomicUsize);

impl<'a> Open<'a> {
    fn count(open: &'a AtomicUsize) -> Self {
        open.fetch_add(1, Ordering::SeqCst);
        Self(open)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
