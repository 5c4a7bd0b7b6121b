//! An HTTP client of one server: one request per connection, each answer held against the server's document.

use std::net::SocketAddr;
use std::sync::Arc;

use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HeaderValue;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Answer, Document, PATIENCE};

/// Somebody who talks to a server, with or without a token.
#[derive(Clone)]
pub(crate) struct Client {
    address: SocketAddr,
    document: Arc<Document>,
    token: Option<String>,
}

/// A request under construction.
pub(crate) struct Call {
    client: Client,
    request: Request<Full<Bytes>>,
}

impl Client {
    /// Reads the server's document first.
    pub(crate) async fn of(address: SocketAddr) -> Self {
        let undocumented = Self::undocumented(address);
        let document = undocumented.get("/openapi.json").send().await.json(200);
        Self { document: Arc::new(Document::new(document)), ..undocumented }
    }

    /// A client of a server without a document.
    pub(crate) fn undocumented(address: SocketAddr) -> Self {
        Self { address, document: Arc::default(), token: None }
    }

    pub(crate) fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// A client who has signed in.
    pub(crate) async fn signed_in(&self, email: &str, password: &str) -> Self {
        let body = serde_json::json!({ "email": email, "password": password });
        let session = self.post("/v1/session", &body).await.json(201);
        self.with_token(session["token"].as_str().unwrap())
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn document(&self) -> &Document {
        &self.document
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        Call { client: self.clone(), request: request.body(Full::default()).unwrap() }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path).json(body).send().await
    }

    /// A `POST` without a body.
    pub(crate) async fn order(&self, path: &str) -> Answer {
        self.call("POST", path).send().await
    }
}

impl Call {
    pub(crate) fn header(mut self, name: &'static str, value: impl AsRef<[u8]>) -> Self {
        self.request.headers_mut().insert(name, HeaderValue::from_bytes(value.as_ref()).unwrap());
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) fn body(mut self, body: impl Into<Bytes>) -> Self {
        *self.request.body_mut() = Full::new(body.into());
        self
    }

    /// The answer; a server that gives none fails the test.
    pub(crate) async fn send(self) -> Answer {
        let shown = format!("{} {}", self.request.method(), self.request.uri());
        self.try_send().await.unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// The answer, or why there is none.
    pub(crate) async fn try_send(self) -> Result<Answer, String> {
        let (method, path) = (self.request.method().to_string(), self.request.uri().path().to_owned());
        let document = Arc::clone(&self.client.document);
        let answer =
            timeout(PATIENCE, self.exchange()).await.map_err(|_| "no answer in time".to_owned())??;
        document.check(&method, &path, &answer);
        Ok(answer)
    }

    async fn exchange(self) -> Result<Answer, String> {
        let failed = |error: &dyn std::fmt::Debug| format!("{error:?}");
        let stream = TcpStream::connect(self.client.address).await.map_err(|error| failed(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
        let answering = async {
            let (parts, body) = sender.send_request(self.request).await?.into_parts();
            let body = body.collect().await?.to_bytes();
            Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
        };
        let mut answering = std::pin::pin!(answering);
        let answer: Result<Answer, hyper::Error> = tokio::select! {
            answer = answering.as_mut() => answer,
            _ = connection => answering.await,
        };
        answer.map_err(|error| failed(&error))
    }
}

/// A connection that sends bytes as they are.
pub(crate) struct Raw(TcpStream);

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(timeout(PATIENCE, TcpStream::connect(address)).await.unwrap().unwrap())
    }

    /// Sends bytes, and reads until the server closes the connection.
    pub(crate) async fn exchange(mut self, bytes: impl AsRef<[u8]>) -> String {
        let mut answer = Vec::new();
        let talk = async {
            // A server may answer and close before it has read everything.
            let _ = self.0.write_all(bytes.as_ref()).await;
            let _ = self.0.read_to_end(&mut answer).await;
        };
        timeout(PATIENCE, talk).await.expect("the server closes in time");
        String::from_utf8_lossy(&answer).into_owned()
    }
}
