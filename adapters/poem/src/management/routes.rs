//! What the management port answers.

use dolmen::{Access, BoxError, Operations};
use poem::endpoint::make;
use poem::http::{Method, StatusCode};
use poem::{EndpointExt, Response};
use serde::Serialize;

use crate::api_ext::Operation;
use crate::docs;
use crate::problem::Problem;
use crate::router::Router;

/// Routes without a principal: who may reach the port is the network's business.
pub(super) fn router(operations: Vec<Operation>) -> Result<Router, BoxError> {
    Router::new(operations.into_iter().map(|operation| (Access::Public, operation)), None)
}

/// The probes and everything else, with its document.
pub(super) fn all(operations: &Operations) -> Result<Vec<Operation>, BoxError> {
    let mut routes = probes(operations);
    routes.push(route("/ops/info", operations, |operations| async move { json(true, &operations.info()) }));
    routes.push(route(
        "/ops/modules",
        operations,
        |operations| async move { json(true, &operations.modules()) },
    ));
    routes.push(route(
        "/ops/jobs",
        operations,
        |operations| async move { json(true, &operations.jobs().await?) },
    ));
    routes.push(route("/ops/schedules", operations, |operations| async move {
        json(true, &operations.schedules().await?)
    }));
    let document = serde_json::to_value(operations.document())?;
    routes.extend(docs::operations(&document)?);
    Ok(routes)
}

/// 200 or 503, each with what was found.
pub(super) fn probes(operations: &Operations) -> Vec<Operation> {
    vec![
        route("/livez", operations, |operations| async move {
            let report = operations.liveness();
            json(report.alive, &report)
        }),
        route("/readyz", operations, |operations| async move {
            let report = operations.readiness().await;
            json(report.ready, &report)
        }),
        route("/startupz", operations, |operations| async move {
            let report = operations.startup();
            json(report.started, &report)
        }),
    ]
}

fn route<F, A>(path: &str, operations: &Operations, answer: F) -> Operation
where
    F: Fn(Operations) -> A + Send + Sync + 'static,
    A: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    let operations = operations.clone();
    let endpoint = make(move |_| {
        let answer = answer(operations.clone());
        async move { answer.await.map_err(poem::Error::from) }
    });
    Operation {
        method: Method::GET,
        template: path.to_owned(),
        pattern: path.to_owned(),
        endpoint: endpoint.map_to_response().boxed(),
    }
}

fn json(is_well: bool, report: &impl Serialize) -> Result<Response, Problem> {
    let status = if is_well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::to_vec(report).map_err(Problem::internal)?;
    Ok(Response::builder().status(status).content_type("application/json").body(body))
}
