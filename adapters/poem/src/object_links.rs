//! Downloads of objects by signed links, for stores that this program serves itself.

use std::sync::Arc;

use dolmen::{Access, LinkVerifier, ObjectKey, ObjectStore, RouteSet};
use poem::http::Method;
use poem::{Endpoint, EndpointExt, Request, Response};
use serde_json::json;

use crate::api_ext::{Operation, PoemRoutes};
use crate::openapi::lift;
use crate::problem::Problem;

/// `GET /objects/{key}`: the bytes of an object, for whoever has a link that is signed and not expired.
///
/// For stores such as `DirectoryObjectStore`, whose links are paths of this program. Give it to
/// [`WebRole::with_routes`](crate::WebRole::with_routes). Files come as attachments, so that nothing in them runs in the
/// service's own name.
///
/// # Errors
/// 403 `objects/invalid-link` in the same words for a link that is wrong, changed or expired; 404 when the object is gone.
pub fn object_downloads(store: Arc<dyn ObjectStore>, verifier: Arc<dyn LinkVerifier>) -> RouteSet {
    let parameter = |name: &str, place: &str, words: &str| json!({ "name": name, "in": place, "required": place == "path", "description": words, "schema": { "type": "string" } });
    let mut document = json!({
        "info": { "title": "objects", "version": "1" },
        "paths": { "/objects/{key}": { "get": {
            "summary": "Downloads an object",
            "description": "By a link that another operation gave; its query is the signature.",
            "parameters": [parameter("key", "path", "The object's key; it may contain `/`.")],
            "responses": {
                "200": { "description": "Its bytes, in their own media type.", "content": { "application/octet-stream": {} } },
                "403": { "$ref": "#/components/responses/Problem403" }
            }
        } } }
    });
    lift(&mut document, "objects", Access::Public);
    let operation = Operation {
        method: Method::GET,
        template: "/objects/{key}".to_owned(),
        pattern: "/objects/*key".to_owned(),
        endpoint: Download { store, verifier }.boxed(),
    };
    let routes = PoemRoutes { operations: vec![operation], faults: Vec::new() };
    RouteSet::new(document, Access::Public, Box::new(routes))
}

struct Download {
    store: Arc<dyn ObjectStore>,
    verifier: Arc<dyn LinkVerifier>,
}

impl Endpoint for Download {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let query = request.uri().query().unwrap_or_default();
        let key = request.raw_path_param("key").and_then(|key| ObjectKey::parse(key).ok());
        let Some(key) = key.filter(|key| self.verifier.verify(key, query).is_ok()) else {
            return Err(invalid_link().into());
        };
        let object = self.store.get(&key).await.map_err(Problem::from)?;
        let name = key.as_str().rsplit('/').next().unwrap_or_default();
        Ok(Response::builder()
            .content_type(&object.meta.content_type)
            // The letters of a key need no quoting or encoding here.
            .header("content-disposition", format!("attachment; filename=\"{name}\""))
            .body(object.bytes))
    }
}

fn invalid_link() -> Problem {
    let words = "this link is not valid or has expired; ask for a new one";
    Problem::new(poem::http::StatusCode::FORBIDDEN, "objects/invalid-link", words)
}
