//! A small HTTP client: one request per connection, or raw bytes. Nothing in it waits longer than ten seconds.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use poem::http::{HeaderMap, Request};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// What every test that waits for the server allows it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status and the code of a problem.
    pub(crate) fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        (self.status, problem["code"].as_str().unwrap().to_owned())
    }
}

/// A request under construction.
pub(crate) struct Call {
    address: SocketAddr,
    request: Request<Full<Bytes>>,
}

/// A request to a server, without a token.
pub(crate) fn call(address: SocketAddr, method: &str, path: &str) -> Call {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost")
        .body(Full::default())
        .unwrap();
    Call { address, request }
}

impl Call {
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request.headers_mut().insert(name, value.parse().unwrap());
        self
    }

    pub(crate) fn token(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &str) -> Self {
        self.header("content-type", "application/json").body(body.as_bytes())
    }

    pub(crate) fn body(mut self, body: &[u8]) -> Self {
        *self.request.body_mut() = Full::new(Bytes::copy_from_slice(body));
        self
    }

    pub(crate) async fn send(self) -> Answer {
        timeout(PATIENCE, self.exchange()).await.expect("an answer in time")
    }

    async fn exchange(self) -> Answer {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        let answering = async {
            let answer = sender.send_request(self.request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            Answer { status: parts.status.as_u16(), headers: parts.headers, body }
        };
        let mut answering = std::pin::pin!(answering);
        tokio::select! {
            answer = answering.as_mut() => answer,
            ended = connection => {
                ended.unwrap();
                answering.await
            }
        }
    }
}

/// A connection that sends bytes as they are.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(timeout(PATIENCE, TcpStream::connect(address)).await.unwrap().unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        timeout(PATIENCE, self.0.write_all(bytes.as_ref())).await.unwrap().unwrap();
    }

    /// All that the server sends until it closes the connection.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        timeout(PATIENCE, self.0.read_to_end(&mut bytes)).await.expect("the end in time").unwrap();
        String::from_utf8(bytes).unwrap()
    }

    /// What the server sends until the text appears.
    pub(crate) async fn read_until(&mut self, text: &str) -> String {
        let mut bytes = Vec::new();
        loop {
            let read =
                timeout(PATIENCE, self.0.read_buf(&mut bytes)).await.expect("an answer in time").unwrap();
            let seen = String::from_utf8_lossy(&bytes).into_owned();
            if seen.contains(text) {
                return seen;
            }
            assert!(read > 0, "the server closed after {seen:?}");
        }
    }
}
