//! One request and its answer.

use std::any::Any;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use dolmen::{ClientPosition, Shutdown};
use futures_util::FutureExt;
use http_body_util::combinators::BoxBody;
use hyper::body::{Body as _, Incoming};
use poem::http::header::{self, HeaderValue};
use poem::http::uri::Scheme;
use poem::http::{self, Method, Version};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Body, Endpoint, Request, Response};
use tokio::time::{Instant, timeout};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use super::HttpServer;
use super::body_limit::{BodyError, DRAINED, LimitedBody};
use super::connection::Connection;
use super::position;
use super::record::{Facts, record};
use crate::api_ext::panic_words;
use crate::problem::{Problem, problem_of};

type Answer = http::Response<BoxBody<Bytes, io::Error>>;

/// A request on its way to the endpoint.
pub(super) struct Exchange {
    server: Arc<HttpServer>,
    shutdown: Shutdown,
    id: String,
    method: Method,
    facts: Facts,
    request: Result<Request, Problem>,
}

impl Exchange {
    pub(super) fn new(connection: &Connection, request: http::Request<Incoming>) -> Self {
        let server = Arc::clone(&connection.server);
        let (method, facts) = (request.method().clone(), Facts::default());
        let request = refusal(&server, &request)
            .map_or_else(|| Ok(prepared(&server, request, connection.local, connection.remote, &facts)), Err);
        let id = server.ids.next().to_string();
        Self { server, shutdown: connection.shutdown.clone(), id, method, facts, request }
    }

    /// Answers in a task of its own: when the client goes away, hyper drops this future, and the task goes on.
    pub(super) async fn answer(self, tasks: &TaskTracker) -> Answer {
        // At the level of errors, so that a failure carries the id whatever else the log leaves out.
        let span = tracing::error_span!("request", request_id = %self.id);
        match tasks.spawn(self.run().instrument(span)).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(%error, "a request was lost");
                Problem::internal("the task of the request ended").to_response(None).into()
            }
        }
    }

    async fn run(self) -> Answer {
        let Self { server, shutdown, id, method, facts, request } = self;
        let begun = Instant::now();
        let mut client = ClientPosition::default();
        let result = match request.and_then(|request| Ok((position::client_of(&request)?, request))) {
            Ok((sender, request)) => {
                client = sender;
                client.follow(handle(&server, &shutdown, request)).await
            }
            Err(problem) => Err(problem),
        };
        let mut response = result.unwrap_or_else(|problem| {
            log(&problem);
            problem.to_response(Some(&id))
        });
        let headers = response.headers_mut();
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        // What may be kept says so itself; tokens and other people's data are in all the rest.
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        position::tell(&client, headers);
        if let Ok(id) = HeaderValue::from_str(&id) {
            headers.insert("x-request-id", id);
        }
        record(&server, &facts, &method, response.status(), begun.elapsed());
        response.into()
    }
}

/// Runs the endpoint to its end, its deadline, its panic, or the moment when everything must stop.
async fn handle(server: &HttpServer, shutdown: &Shutdown, request: Request) -> Result<Response, Problem> {
    let deadline = server.limits.request_deadline;
    let call = AssertUnwindSafe(server.endpoint.call(request)).catch_unwind();
    tokio::select! {
        outcome = timeout(deadline, call) => match outcome {
            Ok(Ok(result)) => result.map_err(problem_of),
            Ok(Err(panic)) => Err(panicked(&*panic)),
            Err(_) => Err(Problem::unavailable("server/deadline", "we could not answer in time; try again")),
        },
        () = shutdown.stopping() => Err(Problem::unavailable("server/stopping", "we are restarting; try again")),
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Problem {
    Problem::internal(format!("panicked: {}", panic_words(panic)))
}

/// A failure is logged here and nowhere else; what clients do wrong is their business.
fn log(problem: &Problem) {
    if problem.status() == 500 {
        let error = problem.cause_chain().unwrap_or_default();
        tracing::error!(code = problem.code(), error, "a request failed");
    } else if problem.status().is_server_error() {
        let error = problem.cause_chain().unwrap_or_default();
        tracing::warn!(code = problem.code(), error, "a request was put off");
    }
}

/// What is refused before anything is read.
fn refusal(server: &HttpServer, request: &http::Request<Incoming>) -> Option<Problem> {
    if request.version() == Version::HTTP_11 && !request.headers().contains_key(header::HOST) {
        return Some(Problem::bad_request("request/no-host", "Host is missing"));
    }
    let limit = server.limits.max_body_bytes;
    let length = request.body().size_hint().lower();
    // Who waits for `100 Continue` has sent nothing yet; others get their answer when a little more of it is read.
    let unsent = request.headers().contains_key(header::EXPECT);
    let is_refused = length > limit && (unsent || length > limit.saturating_add(DRAINED));
    is_refused.then(|| BodyError::TooLarge { limit }.problem())
}

fn prepared(
    server: &HttpServer,
    request: http::Request<Incoming>,
    local: Option<SocketAddr>,
    remote: SocketAddr,
    facts: &Facts,
) -> Request {
    let has_body = !request.body().is_end_stream();
    let local = LocalAddr(local.map(Into::into).unwrap_or_default());
    let mut request: Request = (request, local, RemoteAddr(remote.into()), Scheme::HTTP).into();
    if has_body {
        let limits = &server.limits;
        let body: BoxBody<Bytes, io::Error> = request.take_body().into();
        let limited = LimitedBody::new(body, limits.max_body_bytes, limits.body_deadline);
        request.set_body(Body::from(BoxBody::new(limited)));
    }
    request.set_data(facts.clone());
    request
}
