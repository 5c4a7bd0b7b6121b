//! The proxy does to connections what it says.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use dolmen_testkit::faults::{Network, Proxy};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that answers each piece with its name and the piece.
struct Echo {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl Echo {
    async fn start(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.spawn(async move {
                    let mut piece = [0; 1024];
                    while let Ok(length @ 1..) = stream.read(&mut piece).await {
                        let answer = [name.as_bytes(), &piece[..length]].concat();
                        stream.write_all(&answer).await.unwrap();
                    }
                });
            }
        });
        Self { address, _tasks: tasks }
    }
}

async fn ask(stream: &mut TcpStream, text: &str) -> std::io::Result<String> {
    stream.write_all(text.as_bytes()).await?;
    let mut answer = [0; 1024];
    let length = timeout(PATIENCE, stream.read(&mut answer)).await.map_err(|_| ErrorKind::TimedOut)??;
    Ok(String::from_utf8_lossy(&answer[..length]).into_owned())
}

async fn connected(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

#[tokio::test]
async fn it_delivers_and_moves_later_connections() {
    let (one, other) = (Echo::start("one ").await, Echo::start("other ").await);
    let proxy = Proxy::start(one.address).await.unwrap();
    let mut first = connected(&proxy).await;
    assert_eq!(ask(&mut first, "hello").await.unwrap(), "one hello");
    proxy.move_to(other.address);
    assert_eq!(ask(&mut first, "again").await.unwrap(), "one again");
    assert_eq!(ask(&mut connected(&proxy).await, "hello").await.unwrap(), "other hello");
    assert!(proxy.connections() >= 1);
}

#[tokio::test]
async fn a_reset_is_seen_by_open_connections_and_by_no_later_one() {
    let echo = Echo::start("").await;
    let proxy = Proxy::start(echo.address).await.unwrap();
    let mut open = connected(&proxy).await;
    assert_eq!(ask(&mut open, "hello").await.unwrap(), "hello");
    proxy.reset_all();
    // Nothing is asked: an idle connection hears of it too.
    let reset = timeout(PATIENCE, open.read(&mut [0; 16])).await.unwrap().unwrap_err();
    assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
    assert_eq!(ask(&mut connected(&proxy).await, "hello").await.unwrap(), "hello");
}

#[tokio::test]
async fn answers_to_chosen_bytes_are_cut_off_and_others_are_not() {
    let echo = Echo::start("").await;
    let proxy = Proxy::start(echo.address).await.unwrap();
    proxy.cut_answers_to(b"commit", 1);
    let mut open = connected(&proxy).await;
    assert_eq!(ask(&mut open, "insert").await.unwrap(), "insert");
    let cut = ask(&mut open, "commit\0").await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::ConnectionReset);
    assert_eq!(proxy.cuts_left(), 0);
    assert_eq!(ask(&mut connected(&proxy).await, "commit\0").await.unwrap(), "commit\0");
}

#[tokio::test]
async fn what_the_dark_swallowed_stays_swallowed() {
    let echo = Echo::start("").await;
    let proxy = Proxy::start(echo.address).await.unwrap();
    let mut open = connected(&proxy).await;
    assert_eq!(ask(&mut open, "hello").await.unwrap(), "hello");
    proxy.becomes(Network::Dark);
    open.write_all(b"lost").await.unwrap();
    let mut answer = [0; 16];
    assert!(timeout(Duration::from_millis(100), open.read(&mut answer)).await.is_err());
    proxy.becomes(Network::Clear);
    assert!(timeout(Duration::from_millis(100), open.read(&mut answer)).await.is_err());
    assert_eq!(ask(&mut connected(&proxy).await, "hello").await.unwrap(), "hello");
}

#[tokio::test]
async fn a_slow_network_is_slow_in_both_directions() {
    let echo = Echo::start("").await;
    let proxy = Proxy::start(echo.address).await.unwrap();
    let mut open = connected(&proxy).await;
    for network in [Network::Slow(Duration::from_millis(50)), Network::Trickle(100)] {
        proxy.becomes(network);
        let started = Instant::now();
        assert!(ask(&mut open, "hello").await.unwrap().starts_with('h'));
        assert!(started.elapsed() >= Duration::from_millis(100), "{network:?}: {:?}", started.elapsed());
    }
}
