//! What is remembered of each request: one line of the log, two metrics.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use dolmen::{Metric, MetricKind};
use poem::http::{Method, StatusCode};

use super::HttpServer;

static REQUESTS: Metric = Metric {
    name: "dolmen_http_requests",
    help: "Requests answered, by route, method and class of status",
    unit: "",
    labels: &["route", "method", "status"],
    kind: MetricKind::Counter,
};

static SECONDS: Metric = Metric {
    name: "dolmen_http_request_seconds",
    help: "How long answering took, from the headers of the request to those of the answer",
    unit: "seconds",
    labels: &["route", "method"],
    kind: MetricKind::Histogram(&[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0]),
};

/// What the routes learn about a request, for the record. Shared, so that it survives a handler that does not end well.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    route: OnceLock<Arc<str>>,
}

impl Facts {
    pub(crate) fn set_route(&self, template: &Arc<str>) {
        // The first route is the one; nothing routes twice.
        let _ = self.0.route.set(Arc::clone(template));
    }

    /// The route's path with `{name}` for its parameters. Never the path that the client sent: that is unbounded.
    fn route(&self) -> &str {
        self.0.route.get().map_or("unmatched", |route| route)
    }
}

/// Writes the line of the log, without the query, and counts. The id is in the span around it.
pub(super) fn record(
    server: &HttpServer,
    facts: &Facts,
    method: &Method,
    status: StatusCode,
    took: Duration,
) {
    let (method, route) = (method_label(method), facts.route());
    server.metrics.add(&REQUESTS, &[route, method, class(status)], 1);
    server.metrics.observe(&SECONDS, &[route, method], took.as_secs_f64());
    let (status, ms) = (status.as_u16(), u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
    if server.logged {
        tracing::info!(method, route, status, ms, "request");
    } else {
        tracing::debug!(method, route, status, ms, "request");
    }
}

/// A method may be any word; a label comes from a small set.
fn method_label(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..=199 => "1xx",
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        _ => "5xx",
    }
}
