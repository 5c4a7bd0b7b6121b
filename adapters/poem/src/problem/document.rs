//! What a problem looks like on the wire.

use std::borrow::Cow;
use std::fmt;

use poem::Response;
use poem::error::ResponseError;
use poem::http::StatusCode;
use poem::http::header::{self, HeaderValue};
use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponses, Registry};
use serde::Serialize;

use super::Problem;

/// An error, as the client gets it (RFC 9457).
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Problem)]
#[non_exhaustive]
pub struct ProblemDocument {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The status in words.
    pub title: &'static str,
    /// The status.
    pub status: u16,
    /// What is wrong with this request, and how to put it right, for a person.
    pub detail: String,
    /// What is wrong, for a program: stable, as in `request/validation`.
    pub code: String,
    /// What is wrong with which part of the body.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    pub errors: Vec<Fault>,
    /// Finds the failure in our logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub request_id: Option<String>,
}

/// One part of a body that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = ProblemFault)]
#[non_exhaustive]
pub struct Fault {
    /// Where, as a JSON pointer (RFC 6901); empty for the whole body.
    pub pointer: String,
    /// The rule, as in `must be 1 to 200`.
    #[schema(value_type = String)]
    pub message: Cow<'static, str>,
}

impl Fault {
    /// The part at `pointer` breaks the rule in `message`.
    pub fn new(pointer: impl Into<String>, message: impl Into<Cow<'static, str>>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = if self.pointer.is_empty() { "the body" } else { &self.pointer };
        write!(f, "{subject} {}", self.message)
    }
}

impl Problem {
    /// What the client gets.
    pub fn document(&self, request_id: Option<&str>) -> ProblemDocument {
        ProblemDocument {
            kind: "about:blank",
            title: self.status().canonical_reason().unwrap_or("Error"),
            status: self.status().as_u16(),
            detail: self.detail().to_owned(),
            code: self.code().to_owned(),
            errors: self.faults().to_vec(),
            request_id: request_id.map(str::to_owned),
        }
    }

    /// The answer to the client. The id shows only where we are at fault, so that equal problems have equal bodies.
    pub(crate) fn to_response(&self, request_id: Option<&str>) -> Response {
        let request_id = request_id.filter(|_| self.status().is_server_error());
        let body = serde_json::to_vec(&self.document(request_id)).unwrap_or_default();
        let mut response = Response::builder().status(self.status()).body(body);
        let headers = response.headers_mut();
        headers.extend(self.0.headers.clone());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}

impl ResponseError for Problem {
    fn status(&self) -> StatusCode {
        self.0.status
    }

    fn as_response(&self) -> Response {
        self.to_response(None)
    }
}

/// Documents nothing by itself: problems are added to every operation when the documents are merged.
impl ApiResponse for Problem {
    fn meta() -> MetaResponses {
        MetaResponses { responses: Vec::new() }
    }

    fn register(_: &mut Registry) {}
}
