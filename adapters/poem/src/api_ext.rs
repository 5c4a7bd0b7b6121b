//! `registrar.api(..)`: how a module offers routes.

use std::any::Any;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

use dolmen::{Access, Registrar, RouteSet};
use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, Registry};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;

use crate::openapi::{lift, pattern_of};

/// Adds poem-openapi APIs to a module. Paths are full paths, as in `/v1/invoices/:id`.
///
/// # Examples
/// ```
/// use dolmen::{MigrationSet, Module, ModuleName, Registrar};
/// use dolmen_poem::{ApiExt, Authenticated, Problem};
/// use poem_openapi::{OpenApi, payload::PlainText};
///
/// struct HelloApi;
///
/// #[OpenApi]
/// impl HelloApi {
///     /// Says hello.
///     #[oai(path = "/v1/hello", method = "get")]
///     async fn hello(&self, caller: Authenticated) -> Result<PlainText<String>, Problem> {
///         Ok(PlainText(format!("hello {}", caller.user)))
///     }
/// }
///
/// struct Hello;
///
/// impl Module for Hello {
///     fn name(&self) -> ModuleName {
///         ModuleName::new("hello")
///     }
///     fn migrations(&self) -> MigrationSet {
///         MigrationSet::none(self.name())
///     }
///     fn register(&self, registrar: &mut Registrar<'_>) {
///         registrar.api(HelloApi);
///     }
/// }
/// ```
pub trait ApiExt {
    /// Offers an API whose every operation needs a principal, whether the handler takes [`Authenticated`] or not.
    ///
    /// [`Authenticated`]: crate::Authenticated
    fn api(&mut self, api: impl OpenApi + 'static);

    /// Offers an API that anyone may call.
    fn public_api(&mut self, api: impl OpenApi + 'static);
}

impl ApiExt for Registrar<'_> {
    fn api(&mut self, api: impl OpenApi + 'static) {
        let tag = self.module();
        self.routes(route_set(tag.as_str(), api, Access::Authenticated));
    }

    fn public_api(&mut self, api: impl OpenApi + 'static) {
        let tag = self.module();
        self.routes(route_set(tag.as_str(), api, Access::Public));
    }
}

/// What this crate puts into a route set, and looks for when it takes one.
pub(crate) struct PoemRoutes {
    pub(crate) operations: Vec<Operation>,
    /// Why the set cannot be served; reported when all sets are mounted.
    pub(crate) faults: Vec<String>,
}

/// One method of one path.
pub(crate) struct Operation {
    pub(crate) method: Method,
    /// The path in the document, such as `/v1/invoices/{id}`.
    pub(crate) template: String,
    /// The path for the router, such as `/v1/invoices/:param0`.
    pub(crate) pattern: String,
    pub(crate) endpoint: BoxEndpoint<'static>,
}

/// The routes of an API with its document. `tag` groups operations that name no tag themselves.
pub(crate) fn route_set<A: OpenApi + 'static>(tag: &str, api: A, access: Access) -> RouteSet {
    // The registry panics when two Rust types share a schema name.
    let spec =
        catch_unwind(AssertUnwindSafe(|| OpenApiService::new(Documented::<A>(PhantomData), tag, "1").spec()));
    let mut faults = Vec::new();
    let mut document = Value::Null;
    match spec {
        Ok(text) => document = serde_json::from_str(&text).unwrap_or_default(),
        Err(panic) => faults.push(panic_words(&*panic)),
    }
    lift(&mut document, tag, access);

    let mut table = HashMap::new();
    api.add_routes(&mut table);
    let mut operations = Vec::new();
    for (pattern, methods) in table {
        let template = template_of(&document, &pattern);
        for (method, endpoint) in methods {
            let documented = template.as_deref().filter(|path| is_documented(&document, path, &method));
            match documented {
                Some(template) => operations.push(Operation {
                    method,
                    template: template.to_owned(),
                    pattern: pattern.clone(),
                    endpoint,
                }),
                None if faults.is_empty() => faults.push(format!(
                    "{method} {pattern} is hidden from the document; every route is documented"
                )),
                None => {}
            }
        }
    }
    RouteSet::new(document, access, Box::new(PoemRoutes { operations, faults }))
}

fn template_of(document: &Value, pattern: &str) -> Option<String> {
    let paths = document.get("paths")?.as_object()?;
    paths.keys().find(|path| pattern_of(path) == pattern).cloned()
}

fn is_documented(document: &Value, path: &str, method: &Method) -> bool {
    let item = document.get("paths").and_then(|paths| paths.get(path));
    item.is_some_and(|item| item.get(method.as_str().to_lowercase()).is_some())
}

/// The words of a panic.
pub(crate) fn panic_words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without words".to_owned())
}

/// The document of an API, without an API: documents are made from types alone.
struct Documented<A>(PhantomData<A>);

impl<A: OpenApi> OpenApi for Documented<A> {
    fn meta() -> Vec<MetaApi> {
        A::meta()
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
