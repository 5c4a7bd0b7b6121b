//! What handlers answer, beyond poem-openapi's `Json`.

use poem::http::{HeaderValue, StatusCode, header};
use poem::{IntoResponse, Response};
use poem_openapi::ApiResponse;
use poem_openapi::payload::Json;
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::{ToHeader, ToJSON, Type};

use crate::extract::ETag;

/// 201 with a body, a `Location` and, when it has a version, an `ETag`.
///
/// # Examples
/// ```
/// use dolmen_poem::Created;
/// let created = Created::new("/v1/notes/1", "a note".to_owned()).with_version(1);
/// # let _ = created;
/// ```
#[derive(Debug, Clone)]
pub struct Created<T> {
    location: String,
    body: T,
    version: Option<i64>,
}

impl<T> Created<T> {
    /// What was made, and where it is: a path is enough.
    pub fn new(location: impl Into<String>, body: T) -> Self {
        Self { location: location.into(), body, version: None }
    }

    /// Adds the version as an `ETag`.
    #[must_use]
    pub fn with_version(mut self, version: i64) -> Self {
        self.version = Some(version);
        self
    }
}

/// 202 with a body and a `Location` that tells how far it is.
#[derive(Debug, Clone)]
pub struct Accepted<T> {
    location: String,
    body: T,
}

impl<T> Accepted<T> {
    /// What will be done, and where to look for it.
    pub fn new(location: impl Into<String>, body: T) -> Self {
        Self { location: location.into(), body }
    }
}

/// 200 with a body and its version as an `ETag`.
#[derive(Debug, Clone)]
pub struct Versioned<T> {
    body: T,
    version: i64,
}

impl<T> Versioned<T> {
    /// The body and its version.
    pub fn new(body: T, version: i64) -> Self {
        Self { body, version }
    }
}

/// 204: done, and nothing to tell.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "it has no content")]
pub struct NoContent;

fn response<T: ToJSON>(status: StatusCode, body: T) -> Response {
    let mut response = Json(body).into_response();
    response.set_status(status);
    response
}

fn set(response: &mut Response, name: header::HeaderName, value: Option<HeaderValue>) {
    if let Some(value) = value {
        response.headers_mut().insert(name, value);
    }
}

impl<T: ToJSON> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        let mut response = response(StatusCode::CREATED, self.body);
        set(&mut response, header::LOCATION, HeaderValue::from_str(&self.location).ok());
        set(&mut response, header::ETAG, self.version.and_then(|version| ETag(version).to_header()));
        response
    }
}

impl<T: ToJSON> IntoResponse for Accepted<T> {
    fn into_response(self) -> Response {
        let mut response = response(StatusCode::ACCEPTED, self.body);
        set(&mut response, header::LOCATION, HeaderValue::from_str(&self.location).ok());
        response
    }
}

impl<T: ToJSON> IntoResponse for Versioned<T> {
    fn into_response(self) -> Response {
        let mut response = response(StatusCode::OK, self.body);
        set(&mut response, header::ETAG, ETag(self.version).to_header());
        response
    }
}

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

fn meta<T: Type>(status: u16, description: &'static str, headers: Vec<MetaHeader>) -> MetaResponses {
    let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
    let response = MetaResponse { description, status: Some(status), status_range: None, content, headers };
    MetaResponses { responses: vec![response] }
}

fn header_meta(name: &str, format: Option<&'static str>, required: bool, description: &str) -> MetaHeader {
    let schema = MetaSchema { format, ..MetaSchema::new("string") };
    MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required,
        deprecated: false,
        schema: MetaSchemaRef::Inline(Box::new(schema)),
    }
}

fn etag_meta(required: bool) -> MetaHeader {
    header_meta("ETag", None, required, "The version; send it as `If-Match` with a change.")
}

impl<T: ToJSON> ApiResponse for Created<T> {
    fn meta() -> MetaResponses {
        let location = header_meta("Location", Some("uri-reference"), true, "Where it is.");
        meta::<T>(201, "Made.", vec![location, etag_meta(false)])
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ToJSON> ApiResponse for Accepted<T> {
    fn meta() -> MetaResponses {
        let location = header_meta("Location", Some("uri-reference"), true, "Where to look for it.");
        meta::<T>(202, "It will be done.", vec![location])
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: ToJSON> ApiResponse for Versioned<T> {
    fn meta() -> MetaResponses {
        meta::<T>(200, "It and its version.", vec![etag_meta(true)])
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl ApiResponse for NoContent {
    fn meta() -> MetaResponses {
        let response = MetaResponse {
            description: "Done.",
            status: Some(204),
            status_range: None,
            content: Vec::new(),
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
