//! An answer, read to its end.

use dolmen_poem::StatusCode;
use hyper::HeaderMap;
use hyper::body::Bytes;
use serde_json::Value;

/// Words that only the inside of a program knows. No client ever reads one.
const INSIDE: [&str; 16] = [
    "select ",
    "insert ",
    "update ",
    "sqlite",
    "postgres",
    "mysql",
    "mariadb",
    "sqlx",
    "dolmen",
    "panicked",
    "backtrace",
    ".rs:",
    "::",
    "/home/",
    "/tmp/",
    "stack",
];

#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The answer, if it has this status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// The body of an answer with this status.
    #[track_caller]
    pub(crate) fn json(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.header("content-type").starts_with("application/json"), "{self:?}");
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The problem of an answer with this status and this code.
    #[track_caller]
    pub(crate) fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        let problem = self.checked_problem();
        assert_eq!(problem["code"], code, "{self:?}");
        problem
    }

    /// Where a problem says that the content is wrong.
    #[track_caller]
    pub(crate) fn pointers(&self) -> Vec<String> {
        let problem = self.checked_problem();
        let errors = problem["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|error| error["pointer"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// What holds for each problem, whatever it is about (RFC 9457, and reliability's A12).
    #[track_caller]
    pub(crate) fn checked_problem(&self) -> Value {
        assert_eq!(self.header("content-type"), "application/problem+json", "{self:?}");
        let problem: Value =
            serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"));
        assert_eq!(problem["type"], "about:blank", "{self:?}");
        assert_eq!(problem["status"], self.status, "{self:?}");
        let title = StatusCode::from_u16(self.status).ok().and_then(|status| status.canonical_reason());
        assert_eq!(problem["title"].as_str(), title, "{self:?}");
        let text = String::from_utf8_lossy(&self.body).to_lowercase();
        let leak = INSIDE.iter().find(|word| text.contains(**word));
        assert_eq!(leak, None, "{self:?}");
        problem
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap_or_default())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// All that a client can tell two answers apart by: status, headers and body, without time and id of the request.
    pub(crate) fn visible(&self) -> (u16, Vec<(String, String)>, String) {
        let headers =
            self.headers.iter().filter(|(name, _)| !["date", "x-request-id"].contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
        (self.status, headers.collect(), self.text())
    }
}
