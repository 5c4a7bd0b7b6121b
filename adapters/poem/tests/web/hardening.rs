//! What clients cannot do to the server.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::timeout;

use crate::client::{PATIENCE, Raw};
use crate::support::{TOKEN, TestServer};

const SHORT: Duration = Duration::from_millis(200);

fn head(method: &str, path: &str, headers: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {TOKEN}\r\n{headers}\r\n")
}

#[tokio::test]
async fn a_client_that_never_ends_its_headers_is_sent_away() {
    let server = TestServer::with(|settings| settings.header_deadline = SHORT, |role| role).await;
    let mut client = Raw::connect(server.address).await;
    client.send("GET /v1/hello HTTP/1.1\r\nhost: local").await;
    assert!(!client.read_to_end().await.contains("200 OK"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_413_however_it_is_sent() {
    let server = TestServer::with(|settings| settings.max_body_bytes = 1_000, |role| role).await;
    let large = format!("{{\"text\": \"{}\"}}", "a".repeat(100_000));
    let answer = server.ask("POST", "/v1/notes").json(&large).send().await;
    assert_eq!(answer.problem(), (413, "request/too-large".to_owned()));

    let mut client = Raw::connect(server.address).await;
    let chunk = format!("190\r\n{}\r\n", " ".repeat(400));
    let headers = "content-type: application/json\r\ntransfer-encoding: chunked\r\nconnection: close\r\n";
    client.send(head("POST", "/v1/notes", headers)).await;
    client.send(format!("{chunk}{chunk}{chunk}0\r\n\r\n")).await;
    let answer = client.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("request/too-large"), "{answer}");

    let mut client = Raw::connect(server.address).await;
    let headers = "content-type: application/json\r\ncontent-length: 5000\r\nexpect: 100-continue\r\n";
    client.send(head("POST", "/v1/notes", headers)).await;
    assert!(client.read_until("too-large").await.starts_with("HTTP/1.1 413"));

    let small = server.ask("POST", "/v1/notes").json("{\"text\": \"a\"}").send().await;
    assert_eq!(small.status, 201);
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_408() {
    let server = TestServer::with(|settings| settings.body_deadline = SHORT, |role| role).await;
    let mut client = Raw::connect(server.address).await;
    client.send(head("POST", "/v1/notes", "content-type: application/json\r\ncontent-length: 20\r\n")).await;
    client.send("{\"text\"").await;
    assert!(client.read_until("body-timeout").await.starts_with("HTTP/1.1 408"));
}

#[tokio::test]
async fn a_body_that_is_too_large_and_does_not_end_is_413() {
    let server = TestServer::with(
        |settings| (settings.body_deadline, settings.max_body_bytes) = (SHORT, 1_000),
        |role| role,
    )
    .await;
    for sent in ["{".to_owned(), " ".repeat(1_001)] {
        let mut client = Raw::connect(server.address).await;
        let headers = "content-type: application/json\r\ncontent-length: 5000\r\n";
        client.send(head("POST", "/v1/notes", headers)).await;
        client.send(sent).await;
        assert!(client.read_until("too-large").await.starts_with("HTTP/1.1 413"));
    }
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_dropped() {
    let server = TestServer::with(|settings| settings.request_deadline = SHORT, |role| role).await;
    let answer = server.ask("POST", "/v1/slow").send().await;
    assert_eq!(answer.problem(), (503, "server/deadline".to_owned()));
    assert_eq!(answer.header("retry-after"), "1");
    assert_eq!(server.gate.runs.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_panic_is_a_500_and_the_connection_goes_on() {
    let server = TestServer::start().await;
    let mut client = Raw::connect(server.address).await;
    client.send(head("GET", "/v1/notes/00000000-0000-0000-0000-00000000000d", "")).await;
    let answer = client.read_until("server/internal").await;
    assert!(answer.starts_with("HTTP/1.1 500") && !answer.contains("bad luck"), "{answer}");
    assert!(answer.contains("request_id"), "{answer}");
    client.send(head("GET", "/v1/hello", "connection: close\r\n")).await;
    assert!(client.read_to_end().await.contains("HTTP/1.1 200 OK"));
}

#[tokio::test]
async fn a_handler_goes_on_when_its_client_leaves() {
    let server = TestServer::with(|settings| settings.max_connections = 1, |role| role).await;
    let mut client = Raw::connect(server.address).await;
    client.send(head("POST", "/v1/slow", "content-length: 0\r\n")).await;
    timeout(PATIENCE, server.gate.started.acquire()).await.unwrap().unwrap().forget();
    drop(client);
    // There is room for this one only after the server has seen that the first client is gone.
    assert_eq!(server.call("GET", "/v1/hello").send().await.status, 200);
    server.gate.release.add_permits(1);
    timeout(PATIENCE, server.gate.done.acquire()).await.unwrap().unwrap().forget();
    assert_eq!(server.gate.runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_request_without_host_is_refused() {
    let server = TestServer::start().await;
    let mut client = Raw::connect(server.address).await;
    client.send("GET /v1/hello HTTP/1.1\r\nconnection: close\r\n\r\n").await;
    let answer = client.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("request/no-host"), "{answer}");
}

#[tokio::test]
async fn a_header_that_says_one_thing_comes_once() {
    let server = TestServer::start().await;
    let note = "/v1/notes/00000000-0000-0000-0000-000000000001";
    for (method, path, headers) in [
        ("POST", "/v1/once", "idempotency-key: a\r\nidempotency-key: b\r\n"),
        ("PUT", note, "if-match: \"1\"\r\nif-match: \"2\"\r\n"),
        ("GET", note, "authorization: Bearer other\r\n"),
    ] {
        let mut client = Raw::connect(server.address).await;
        let more = "content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n";
        client.send(format!("{}{{}}", head(method, path, &format!("{headers}{more}")))).await;
        let answer = client.read_to_end().await;
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("request/repeated-header"), "{answer}");
    }
}
