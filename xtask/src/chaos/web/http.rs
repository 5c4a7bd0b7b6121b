//! As much of HTTP as an impatient client needs: one request per connection.

use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// A server on this machine.
#[derive(Debug, Clone, Copy)]
pub(in crate::chaos) struct Server {
    pub(in crate::chaos) port: u16,
    /// How long a client waits for the next part of an answer.
    pub(in crate::chaos) patience: Duration,
}

/// What a client asks.
#[derive(Debug)]
pub(in crate::chaos) struct Request<'a> {
    pub(in crate::chaos) method: &'static str,
    pub(in crate::chaos) path: &'a str,
    /// Header lines, each with its end.
    pub(in crate::chaos) headers: String,
    pub(in crate::chaos) body: Option<Value>,
}

/// A whole answer.
#[derive(Debug, PartialEq)]
pub(in crate::chaos) struct Answer {
    pub(in crate::chaos) status: u16,
    /// The seconds after which to try again, when the answer says so.
    pub(in crate::chaos) retry_after: Option<u64>,
    /// `null` when it is empty or no JSON.
    pub(in crate::chaos) body: Value,
}

impl Answer {
    /// The code of the problem; empty when it is none.
    pub(super) fn code(&self) -> &str {
        self.body.get("code").and_then(Value::as_str).unwrap_or_default()
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.status, self.code())
    }
}

impl Server {
    /// The status of the answer to a question without a body.
    pub(in crate::chaos) fn probe(self, path: &str) -> Option<u16> {
        let request = Request { method: "GET", path, headers: String::new(), body: None };
        self.ask(&request).map(|answer| answer.status)
    }

    /// Asks; nothing when no whole answer came.
    pub(in crate::chaos) fn ask(self, request: &Request<'_>) -> Option<Answer> {
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        let mut stream = TcpStream::connect_timeout(&address, self.patience).ok()?;
        stream.set_read_timeout(Some(self.patience)).ok()?;
        stream.write_all(&written(request)).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        read(&answer)
    }
}

fn written(request: &Request<'_>) -> Vec<u8> {
    let Request { method, path, headers, body } = request;
    let body = body.as_ref().map(Value::to_string).unwrap_or_default();
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{headers}\r\n{body}"
    )
    .into_bytes()
}

/// Reads an answer that ends with its connection; one that was cut off is none.
fn read(answer: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let number = |name: &str| {
        let (_, value) = headers.iter().find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        value.trim().parse::<u64>().ok()
    };
    if number("content-length").is_some_and(|length| usize::try_from(length) != Ok(body.len())) {
        return None;
    }
    let body = serde_json::from_str(body).unwrap_or_default();
    Some(Answer { status, retry_after: number("retry-after"), body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_was_cut_off_is_none() {
        let whole = b"HTTP/1.1 201 Created\r\nRetry-After: 3\r\ncontent-length: 9\r\n\r\n{\"a\": 12}";
        let body = serde_json::json!({ "a": 12 });
        assert_eq!(read(whole), Some(Answer { status: 201, retry_after: Some(3), body }));
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None, "{end} bytes");
        }
    }
}
