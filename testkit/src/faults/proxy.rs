//! A TCP proxy that does to connections what networks do.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::relay;

/// What the network does with what is sent through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Network {
    /// It delivers.
    Clear,
    /// It delivers each piece this much later.
    Slow(Duration),
    /// It delivers this many bytes a second in each direction.
    Trickle(u32),
    /// It delivers nothing and says nothing. Connections that it swallowed stay dead when it is clear again, as those
    /// whose route is gone do.
    Dark,
}

/// A proxy in front of a server, for programs that speak TCP to it.
///
/// Dropping it closes what goes through it.
///
/// # Examples
/// ```
/// use dolmen_testkit::faults::{Network, Proxy};
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let server = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
/// let proxy = Proxy::start(server.local_addr()?).await?;
/// let (client, accepted) = tokio::join!(tokio::net::TcpStream::connect(proxy.address()), server.accept());
/// proxy.becomes(Network::Dark);
/// # drop((client?, accepted?));
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    _acceptor: JoinSet<()>,
}

#[derive(Debug)]
pub(super) struct Shared {
    upstream: Mutex<SocketAddr>,
    pub(super) network: watch::Sender<Network>,
    /// Counts the calls of [`Proxy::reset_all`].
    pub(super) resets: watch::Sender<u64>,
    cut: Mutex<Option<Cut>>,
    /// One request in so many loses its connection; none when it is zero.
    one_in: AtomicUsize,
    requests: AtomicUsize,
    attempts: AtomicUsize,
    pub(super) open: AtomicUsize,
}

/// Connections to reset once a client has sent certain bytes.
#[derive(Debug, Clone, Copy)]
struct Cut {
    bytes: &'static [u8],
    left: u32,
}

impl Proxy {
    /// Listens on a free port of the loopback interface and passes on to `upstream`.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            network: watch::Sender::new(Network::Clear),
            resets: watch::Sender::new(0),
            cut: Mutex::new(None),
            one_in: AtomicUsize::new(0),
            requests: AtomicUsize::new(0),
            attempts: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
        });
        let mut acceptor = JoinSet::new();
        acceptor.spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, _acceptor: acceptor })
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Changes the network, for what is on its way too.
    pub fn becomes(&self, network: Network) {
        self.shared.network.send_replace(network);
    }

    /// Passes later connections on to another server, as a name does that was moved. Open ones stay where they are.
    pub fn move_to(&self, upstream: SocketAddr) {
        *self.shared.upstream.lock().unwrap_or_else(PoisonError::into_inner) = upstream;
    }

    /// Resets every connection (RST, not FIN).
    pub fn reset_all(&self) {
        self.shared.resets.send_modify(|resets| *resets += 1);
    }

    /// Resets the next `count` connections on which a client sends these bytes in one piece, such as `commit`: after
    /// the server has answered, and before the client has the answer.
    pub fn cut_answers_to(&self, bytes: &'static [u8], count: u32) {
        *self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some(Cut { bytes, left: count });
    }

    /// How many cuts are still to come.
    pub fn cuts_left(&self) -> u32 {
        self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner).map_or(0, |cut| cut.left)
    }

    /// Resets the connection of every so-many-th request, counted over all connections, before the server has it; with
    /// zero, of none.
    pub fn cut_one_in(&self, requests: usize) {
        self.shared.one_in.store(requests, Ordering::SeqCst);
    }

    /// How often somebody has tried to connect.
    pub fn attempts(&self) -> usize {
        self.shared.attempts.load(Ordering::SeqCst)
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }
}

impl Shared {
    fn upstream(&self) -> SocketAddr {
        *self.upstream.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this request loses its connection.
    pub(super) fn loses_request(&self) -> bool {
        match self.one_in.load(Ordering::SeqCst) {
            0 => false,
            one_in => (self.requests.fetch_add(1, Ordering::SeqCst) + 1).is_multiple_of(one_in),
        }
    }

    /// Whether the answer to these bytes is to be cut off.
    pub(super) fn cuts(&self, sent: &[u8]) -> bool {
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        match cut.as_mut() {
            Some(cut) if cut.left > 0 && sent.windows(cut.bytes.len()).any(|part| part == cut.bytes) => {
                cut.left -= 1;
                true
            }
            _ => false,
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((client, _)) = accepted {
                    shared.attempts.fetch_add(1, Ordering::SeqCst);
                    connections.spawn(pass_on(client, Arc::clone(&shared)));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn pass_on(client: TcpStream, shared: Arc<Shared>) {
    // A dark network swallows the attempt to connect as well; the client is left to wait.
    if *shared.network.borrow() == Network::Dark {
        std::future::pending::<()>().await;
    }
    match TcpStream::connect(shared.upstream()).await {
        Ok(server) => relay::run(client, server, &shared).await,
        // Nobody listens there: so it looks to the client.
        Err(_) => drop(client.set_zero_linger()),
    }
}
