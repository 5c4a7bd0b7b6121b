//! How the server ends.

use std::sync::atomic::Ordering;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{PATIENCE, Raw};
use crate::support::{TOKEN, TestServer};

async fn slow_request(server: &TestServer) -> Raw {
    let mut client = Raw::connect(server.address).await;
    let request = format!(
        "POST /v1/slow HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\ncontent-length: 0\r\n\r\n"
    );
    client.send(request).await;
    timeout(PATIENCE, server.gate.started.acquire()).await.unwrap().unwrap().forget();
    client
}

async fn until_nobody_listens(server: &TestServer) {
    let refused = async { while TcpStream::connect(server.address).await.is_ok() {} };
    timeout(PATIENCE, refused).await.expect("the end of listening in time");
}

#[tokio::test]
async fn a_drain_finishes_what_is_in_flight_and_takes_nothing_new() {
    let mut server = TestServer::start().await;
    let mut idle = Raw::connect(server.address).await;
    idle.send("GET /v1/hello HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    idle.read_until("hello").await;
    let mut busy = slow_request(&server).await;
    server.stop();
    until_nobody_listens(&server).await;
    assert_eq!(idle.read_to_end().await, "");
    server.gate.release.add_permits(1);
    let answer = busy.read_to_end().await.to_lowercase();
    assert!(answer.starts_with("http/1.1 204") && answer.contains("connection: close"), "{answer}");
    server.ended().await.unwrap();
}

#[tokio::test]
async fn what_outlives_the_grace_period_is_stopped() {
    let mut server = TestServer::start().await;
    let mut busy = slow_request(&server).await;
    server.stop();
    server.ended().await.unwrap();
    assert!(!busy.read_to_end().await.contains("204"));
    timeout(PATIENCE, server.gate.dropped.acquire()).await.expect("the end of the handler").unwrap().forget();
    assert_eq!(server.gate.runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_drain_waits_for_a_handler_whose_client_left() {
    let mut server = TestServer::with(|settings| settings.max_connections = 1, |role| role).await;
    drop(slow_request(&server).await);
    assert_eq!(server.call("GET", "/v1/hello").send().await.status, 200);
    server.stop();
    until_nobody_listens(&server).await;
    server.gate.release.add_permits(1);
    server.ended().await.unwrap();
    assert_eq!(server.gate.runs.load(Ordering::SeqCst), 1);
}
