//! All routes as one endpoint: mounted by full path, guarded, with their document.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use dolmen::{Access, Authenticator, BoxError, Credentials, ModuleRoutes, Secret};
use poem::endpoint::BoxEndpoint;
use poem::error::MethodNotAllowedError;
use poem::http::Method;
use poem::http::header::{self, HeaderValue};
use poem::{Endpoint, EndpointExt, IntoEndpoint, PathPattern, Request, Response};
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

use crate::api_ext::{Operation, PoemRoutes};
use crate::extract::{Authenticated, single_header};
use crate::openapi::merge;
use crate::problem::{Problem, method_not_allowed};
use crate::server::Facts;

/// Every reason why the routes of the modules cannot be served together.
#[derive(Debug, thiserror::Error)]
#[error("the routes of the modules do not fit together: {}", .0.join("; "))]
pub(crate) struct MountError(pub(crate) Vec<String>);

/// The routes of all modules, taken apart.
pub(crate) struct Mounted {
    pub(crate) document: Value,
    operations: Vec<(Access, Operation)>,
}

/// Takes route sets apart and merges their documents. The one place that looks into a route set.
///
/// # Errors
/// Everything that does not fit, at once.
pub(crate) fn mount(title: &str, version: &str, sets: Vec<ModuleRoutes>) -> Result<Mounted, MountError> {
    let (mut operations, mut documents, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for set in sets {
        let module = set.module;
        let (document, access, endpoint) = set.routes.into_parts();
        match endpoint.downcast::<PoemRoutes>() {
            Ok(routes) => {
                faults.extend(routes.faults.iter().map(|fault| format!("module {module}: {fault}")));
                operations.extend(routes.operations.into_iter().map(|operation| (access, operation)));
                documents.push((module.to_string(), document));
            }
            Err(_) => faults.push(format!(
                "module {module} offers routes of another web framework; offer them with dolmen_poem::ApiExt"
            )),
        }
    }
    match merge(title, version, documents) {
        Ok(document) if faults.is_empty() => Ok(Mounted { document, operations }),
        Ok(_) => Err(MountError(faults)),
        Err(collisions) => {
            faults.extend(collisions);
            Err(MountError(faults))
        }
    }
}

/// Sends each request to the endpoint of its method and path.
pub(crate) struct Router {
    routes: BoxEndpoint<'static>,
    /// The methods of each pattern.
    allow: HashMap<String, HeaderValue>,
}

impl Router {
    /// Routes that need a principal ask the authenticator for it.
    pub(crate) fn new(
        operations: impl IntoIterator<Item = (Access, Operation)>,
        authenticator: Option<&Arc<dyn Authenticator>>,
    ) -> Result<Self, BoxError> {
        let mut table = Table::default();
        for (access, operation) in operations {
            let guard = match (access, authenticator) {
                (Access::Public, _) => None,
                (Access::Authenticated, Some(authenticator)) => Some(Arc::clone(authenticator)),
                (Access::Authenticated, None) => {
                    return Err(format!(
                        "{} {} needs a principal, and nothing tells who calls; give WebRole::new an authenticator, or \
                         offer the route with public_api",
                        operation.method, operation.template
                    )
                    .into());
                }
            };
            let name = format!("{} {}", operation.method, operation.template);
            let endpoint =
                Guarded { template: operation.template.into(), guard, endpoint: operation.endpoint };
            let methods = table.0.entry(operation.pattern).or_default();
            if methods.insert(operation.method, endpoint.boxed()).is_some() {
                return Err(format!("{name} is served by the web role itself; choose another path").into());
            }
        }
        let allow =
            table.0.iter().map(|(pattern, methods)| (pattern.clone(), allowed(methods.keys()))).collect();
        // poem-openapi's extractors need what its service sets up.
        let routes = OpenApiService::new(table, "", "").into_endpoint();
        Ok(Self { routes, allow })
    }
}

impl Mounted {
    /// One endpoint for all routes, with `extra` ones that are in no document.
    pub(crate) fn router(
        self,
        extra: impl IntoIterator<Item = Operation>,
        authenticator: Option<&Arc<dyn Authenticator>>,
    ) -> Result<Router, BoxError> {
        let extra = extra.into_iter().map(|operation| (Access::Public, operation));
        Router::new(self.operations.into_iter().chain(extra), authenticator)
    }
}

/// HEAD comes with GET.
fn allowed<'m>(methods: impl Iterator<Item = &'m Method>) -> HeaderValue {
    let mut names: BTreeSet<&str> = methods.map(Method::as_str).collect();
    if names.contains("GET") {
        names.insert("HEAD");
    }
    let names: Vec<&str> = names.into_iter().collect();
    HeaderValue::from_str(&names.join(", ")).unwrap_or(HeaderValue::from_static(""))
}

impl Endpoint for Router {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let error = match self.routes.call(request).await {
            Ok(response) => return Ok(response),
            Err(error) => error,
        };
        if !error.is::<MethodNotAllowedError>() {
            return Err(error);
        }
        let pattern = error.data::<PathPattern>().map_or("", |pattern| &pattern.0);
        let problem = method_not_allowed();
        Err(match self.allow.get(pattern) {
            Some(methods) => problem.with_header(header::ALLOW, methods.clone()).into(),
            None => problem.into(),
        })
    }
}

/// The routes as poem-openapi wants them; their documents are made elsewhere.
#[derive(Default)]
struct Table(HashMap<String, HashMap<Method, BoxEndpoint<'static>>>);

impl OpenApi for Table {
    fn meta() -> Vec<MetaApi> {
        Vec::new()
    }

    fn register(_: &mut Registry) {}

    fn add_routes(self, table: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        table.extend(self.0);
    }
}

/// An operation that only callers with a principal reach, unless it has no guard.
struct Guarded {
    template: Arc<str>,
    guard: Option<Arc<dyn Authenticator>>,
    endpoint: BoxEndpoint<'static>,
}

impl Endpoint for Guarded {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let facts = request.data::<Facts>().cloned().unwrap_or_default();
        facts.set_route(&self.template);
        if let Some(authenticator) = &self.guard {
            let credentials = bearer(&request)?;
            let principal = authenticator.authenticate(&credentials).await.map_err(Problem::from)?;
            request.set_data(Authenticated::new(principal, credentials));
        }
        self.endpoint.call(request).await
    }
}

/// The token of `Authorization: Bearer`.
fn bearer(request: &Request) -> Result<Credentials, Problem> {
    let value =
        single_header(request, "authorization")?.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        _ => "",
    };
    if token.is_empty() {
        return Err(Problem::unauthenticated());
    }
    Ok(Credentials::Bearer(Secret::new(token.to_owned())))
}

#[cfg(test)]
mod tests {
    use dolmen::{ModuleName, RouteSet};
    use poem_openapi::payload::PlainText;

    use super::*;
    use crate::api_ext::route_set;

    struct Api;

    #[expect(clippy::unused_async, reason = "the macro takes nothing else")]
    #[OpenApi]
    impl Api {
        #[oai(path = "/v1/a/:id", method = "get")]
        async fn read(&self) -> PlainText<&'static str> {
            PlainText("a")
        }

        #[oai(path = "/v1/hidden", method = "get", hidden)]
        async fn hidden(&self) -> PlainText<&'static str> {
            PlainText("hidden")
        }
    }

    #[test]
    fn everything_that_does_not_fit_is_told_at_once() {
        let foreign = RouteSet::new(serde_json::json!({}), Access::Public, Box::new("axum"));
        let sets = vec![
            ModuleRoutes::new(ModuleName::new("one"), route_set("one", Api, Access::Public)),
            ModuleRoutes::new(ModuleName::new("two"), route_set("two", Api, Access::Public)),
            ModuleRoutes::new(ModuleName::new("three"), foreign),
        ];
        let Err(MountError(faults)) = mount("app", "1", sets) else { panic!("it fits") };
        for (fault, words) in faults.iter().zip([
            "module one: GET /v1/hidden is hidden from the document",
            "module two: GET /v1/hidden is hidden from the document",
            "module three offers routes of another web framework",
            "operation GET /v1/a/{id} is defined by module one and, differently, by module two",
        ]) {
            assert!(fault.contains(words), "{fault}");
        }
        assert_eq!(faults.len(), 4, "{faults:?}");
    }

    #[test]
    fn no_route_replaces_another() {
        let docs = || crate::docs::get("/docs", || Response::builder().finish());
        let Err(error) = Router::new([(Access::Public, docs()), (Access::Public, docs())], None) else {
            panic!("one was replaced")
        };
        assert!(error.to_string().contains("GET /docs"), "{error}");
        let guarded = Router::new([(Access::Authenticated, docs())], None);
        assert!(guarded.is_err_and(|error| error.to_string().contains("GET /docs needs a principal")));
    }
}
