//! The demo's HTTP client: JSON in, JSON out.

use std::net::{Ipv4Addr, SocketAddr};

use dolmen::{IdGenerator, UuidV7Ids};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// Calls one server, with a token once there is one.
pub(super) struct Client {
    address: SocketAddr,
    pub(super) token: String,
    /// A key is used once, in this run and in any other.
    keys: UuidV7Ids,
}

impl Client {
    pub(super) fn new(address: SocketAddr) -> Self {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, address.port()));
        Self { address, token: String::new(), keys: UuidV7Ids::new() }
    }

    pub(super) async fn get(&self, path: &str) -> Result<Value, String> {
        self.send(Method::GET, path, Bytes::new()).await.and_then(|bytes| json(&bytes))
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> Result<Value, String> {
        let body = if body.is_null() { Bytes::new() } else { Bytes::from(body.to_string()) };
        self.send(Method::POST, path, body).await.and_then(|bytes| json(&bytes))
    }

    pub(super) async fn download(&self, path: &str) -> Result<String, String> {
        let bytes = self.send(Method::GET, path, Bytes::new()).await?;
        String::from_utf8(bytes.to_vec()).map_err(|error| error.to_string())
    }

    /// One request on a connection of its own; the body of a successful answer.
    async fn send(&self, method: Method, path: &str, body: Bytes) -> Result<Bytes, String> {
        let failed = |error: &dyn std::error::Error| format!("{path}: {error}");
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
            .header(header::CONTENT_TYPE, "application/json")
            .header("Idempotency-Key", self.keys.next().to_string())
            .body(Full::new(body))
            .map_err(|error| failed(&error))?;
        let stream = TcpStream::connect(self.address).await.map_err(|error| failed(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        let exchange = async {
            let response = sender.send_request(request).await?;
            let status = response.status();
            Ok::<_, hyper::Error>((status, response.into_body().collect().await?.to_bytes()))
        };
        let (status, bytes) = tokio::select! {
            answered = exchange => answered.map_err(|error| failed(&error))?,
            _ = connection => return Err(format!("{path}: the connection ended before the answer")),
        };
        if status.is_success() {
            return Ok(bytes);
        }
        Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&bytes)))
    }
}

fn json(bytes: &Bytes) -> Result<Value, String> {
    if bytes.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}
