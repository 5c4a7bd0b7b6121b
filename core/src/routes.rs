//! Route sets: what a module offers over HTTP, without a word about a web framework.

use std::any::Any;
use std::fmt;

use dolmen_ports::ModuleName;

/// The routes of a module: their `OpenAPI` document, and an endpoint that only one web adapter understands.
///
/// Made by the web adapter (`registrar.api(..)` of `dolmen-poem`), which also does the one downcast.
pub struct RouteSet {
    document: serde_json::Value,
    access: Access,
    endpoint: Box<dyn Any + Send>,
}

/// The routes of a module, with its name.
#[derive(Debug)]
#[non_exhaustive]
pub struct ModuleRoutes {
    /// Whose they are.
    pub module: ModuleName,
    /// The routes.
    pub routes: RouteSet,
}

impl ModuleRoutes {
    /// Routes of a module. For tests of web adapters; the application makes the others.
    pub fn new(module: ModuleName, routes: RouteSet) -> Self {
        Self { module, routes }
    }
}

/// Who may call a route set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "a route needs a principal or it does not")]
pub enum Access {
    /// Only callers with valid credentials.
    Authenticated,
    /// Anyone.
    Public,
}

/// One operation: method and path, as in `POST /v1/invoices`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, utoipa::ToSchema)]
#[non_exhaustive]
pub struct Route {
    /// In upper case.
    pub method: String,
    /// The full path; parameters as `{name}`.
    pub path: String,
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

impl RouteSet {
    /// Routes described by an `OpenAPI` document, served by an endpoint of the web adapter. For web adapters.
    pub fn new(document: serde_json::Value, access: Access, endpoint: Box<dyn Any + Send>) -> Self {
        Self { document, access, endpoint }
    }

    /// The `OpenAPI` document of these routes alone, with full paths.
    pub fn document(&self) -> &serde_json::Value {
        &self.document
    }

    /// Who may call them.
    pub fn access(&self) -> Access {
        self.access
    }

    /// The operations in the document.
    pub fn routes(&self) -> Vec<Route> {
        let Some(paths) = self.document.get("paths").and_then(|paths| paths.as_object()) else {
            return Vec::new();
        };
        let mut routes = Vec::new();
        for (path, item) in paths {
            for method in METHODS.iter().filter(|method| item.get(**method).is_some()) {
                routes.push(Route { method: method.to_uppercase(), path: path.clone() });
            }
        }
        routes
    }

    /// The schemas that the document defines: name and content.
    pub fn schemas(&self) -> Vec<(&str, &serde_json::Value)> {
        let schemas = self.document.pointer("/components/schemas").and_then(|schemas| schemas.as_object());
        schemas.into_iter().flatten().map(|(name, schema)| (name.as_str(), schema)).collect()
    }

    /// Takes it apart. For web adapters.
    pub fn into_parts(self) -> (serde_json::Value, Access, Box<dyn Any + Send>) {
        (self.document, self.access, self.endpoint)
    }
}

impl fmt::Debug for RouteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RouteSet")
            .field("routes", &self.routes())
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}
