//! A server that has no connection left: it is asked now and then, and what comes back meanwhile is used.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dolmen_ports::{Dialect, ErrorKind, PortResult, ReadFrom};
use dolmen_sql::{SqlDatabase, SqlOptions};
use dolmen_testkit::conformance::{CaseResult, Suite};
use dolmen_testkit::faults::Proxy;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fixture::SqlHarness;

const PATIENCE: Duration = Duration::from_secs(3);
/// A first look of sqlx and ours, which come at once, and one a second.
const ASKED_AT_MOST: usize = 8;

pub(crate) fn suite(on_file: bool) -> Suite<SqlHarness> {
    Suite::new("full server")
        .needs("a server", !on_file)
        .case("a_full_server_is_asked_now_and_then", |h| Box::pin(asked_now_and_then(h)))
        .case("who_starts_waits_for_a_full_server", |h| Box::pin(who_starts_waits(h)))
}

/// Says to everybody that there are too many already, as the server of the dialect does.
struct Full {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Full {
    async fn start(dialect: Dialect) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
        let (mut tasks, count) = (JoinSet::new(), Arc::clone(&asked));
        tasks.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                // A client that goes away before it is told is told nothing.
                let _ =
                    if dialect == Dialect::MySql { say_1040(client).await } else { say_53300(client).await };
            }
        });
        Self { address, asked, _tasks: tasks }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// It says so instead of its greeting.
async fn say_1040(mut client: TcpStream) -> std::io::Result<()> {
    let payload = b"\xff\x10\x04#08004Too many connections";
    let length = u8::try_from(payload.len()).unwrap();
    client.write_all(&[&[length, 0, 0, 0], payload.as_slice()].concat()).await
}

/// It says so once it knows who asks.
async fn say_53300(mut client: TcpStream) -> std::io::Result<()> {
    let mut request = [0; 1024];
    let length = client.read(&mut request).await?;
    // A question for TLS comes first, of eight bytes; the answer is no.
    if length == 8 {
        client.write_all(b"N").await?;
        // Who asks, in one piece.
        let _ = client.read(&mut request).await?;
    }
    let fields = b"SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0";
    let length = u32::try_from(fields.len()).unwrap() + 4;
    client.write_all(&[b"E", length.to_be_bytes().as_slice(), fields.as_slice()].concat()).await
}

/// The case's database through a proxy, and its server's address.
async fn proxied(harness: &SqlHarness) -> (String, Proxy, SocketAddr) {
    let (scheme, rest) = harness.url.split_once("://").unwrap();
    let (user, place) = rest.split_once('@').unwrap();
    let (server, name) = place.split_once('/').unwrap();
    let server = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
    let proxy = Proxy::start(server).await.unwrap();
    (format!("{scheme}://{user}@{}/{name}", proxy.address()), proxy, server)
}

fn options() -> SqlOptions {
    SqlOptions::new().with_acquire_timeout(PATIENCE)
}

async fn asked_now_and_then(harness: Arc<SqlHarness>) -> CaseResult {
    let full = Full::start(harness.sql.dialect()).await;
    let (url, proxy, server) = proxied(&harness).await;
    let database = SqlDatabase::connect(&url, options()).await?.database();
    let held = database.system().begin_read(ReadFrom::Primary).await?;
    proxy.move_to(full.address);
    let mut waiting = JoinSet::new();
    for _ in 0..8 {
        let database = database.clone();
        waiting.spawn(async move { database.system().begin_read(ReadFrom::Primary).await.map(drop) });
    }
    for refused in waiting.join_all().await {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{}", error.chain());
        assert!(error.to_string().contains("no connection left"), "{error}");
        assert!(error.retry_after().is_some());
    }
    assert!((1..=ASKED_AT_MOST).contains(&full.asked()), "it was asked {} times", full.asked());
    // What somebody gives back is there for others, whatever the server says.
    let (next, mut waiting) = (database.clone(), JoinSet::new());
    waiting.spawn(async move { next.system().begin_read(ReadFrom::Primary).await?.end().await });
    tokio::task::yield_now().await;
    held.end().await?;
    waiting.join_next().await.unwrap()??;
    proxy.move_to(server);
    let held: PortResult<_> = database.system().begin_read(ReadFrom::Primary).await;
    let held = held?;
    let started = Instant::now();
    while database.ping().await.is_err() {
        assert!(started.elapsed() < 4 * PATIENCE, "the server has room, and nobody asked it");
    }
    held.end().await?;
    database.close().await;
    Ok(())
}

async fn who_starts_waits(harness: Arc<SqlHarness>) -> CaseResult {
    let full = Full::start(harness.sql.dialect()).await;
    let (url, proxy, server) = proxied(&harness).await;
    proxy.move_to(full.address);
    let impatient = options().with_start_timeout(Duration::ZERO);
    let error = SqlDatabase::connect(&url, impatient).await.unwrap_err();
    assert!(error.to_string().contains("no connection left"), "{error}");
    let asked = full.asked();
    let mut starting = JoinSet::new();
    starting.spawn(async move { SqlDatabase::connect(&url, options()).await });
    let mut looks = tokio::time::interval(Duration::from_millis(5));
    while full.asked() == asked {
        looks.tick().await;
    }
    proxy.move_to(server);
    let database = starting.join_next().await.unwrap()??.database();
    database.ping().await?;
    database.close().await;
    Ok(())
}
