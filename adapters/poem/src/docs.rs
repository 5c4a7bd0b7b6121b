//! The document for programs and for people.

use bytes::Bytes;
use dolmen::BoxError;
use poem::endpoint::make_sync;
use poem::http::Method;
use poem::{EndpointExt, Response};
use serde_json::Value;

use crate::api_ext::Operation;

const PAGE: &str = include_str!("docs.html");

/// The page has its script and style inside and loads the document, nothing else.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; base-uri 'none'";

/// `GET /openapi.json` and `GET /docs`.
///
/// # Errors
/// When the document is no valid OpenAPI 3.1.
pub(crate) fn operations(document: &Value) -> Result<[Operation; 2], BoxError> {
    let text = Bytes::from(serde_json::to_vec(document)?);
    let _: utoipa::openapi::OpenApi = serde_json::from_slice(&text)
        .map_err(|error| format!("the merged document is not OpenAPI 3.1: {error}"))?;
    Ok([
        get("/openapi.json", move || {
            Response::builder()
                .content_type("application/json")
                .header("cache-control", "no-cache")
                .body(text.clone())
        }),
        get("/docs", || {
            Response::builder()
                .content_type("text/html; charset=utf-8")
                .header("content-security-policy", PAGE_POLICY)
                .header("cache-control", "no-cache")
                .body(PAGE)
        }),
    ])
}

/// A `GET` that only makes its answer.
pub(crate) fn get(path: &str, answer: impl Fn() -> Response + Send + Sync + 'static) -> Operation {
    Operation {
        method: Method::GET,
        template: path.to_owned(),
        pattern: path.to_owned(),
        endpoint: make_sync(move |_| answer()).boxed(),
    }
}
