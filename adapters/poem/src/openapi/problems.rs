//! The problems that an operation may answer, read off its shape.

use dolmen::Access;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema, ToSchema};

use crate::extract::BEARER;
use crate::problem::{Fault, ProblemDocument};

const MEDIA_TYPE: &str = "application/problem+json";

/// The statuses that are documented, and when they come.
const STATUSES: [(u16, &str); 14] = [
    (400, "The request cannot be understood: its JSON, an id, a cursor or a header."),
    (401, "The credentials are missing, wrong or expired."),
    (403, "The caller may not do this."),
    (404, "There is nothing with this id, or not for this caller."),
    (408, "The body did not arrive in time."),
    (409, "The state forbids it."),
    (412, "`If-Match` names a version that is no longer current."),
    (413, "The body is too large."),
    (415, "The body is not `application/json` in UTF-8."),
    (422, "The content breaks a rule; `errors` tells which."),
    (428, "`If-Match` is missing."),
    (429, "Too many requests; `Retry-After` tells when to come back."),
    (500, "Something failed on our side; `request_id` finds it."),
    (503, "Not at the moment; `Retry-After` tells when to come back."),
];

/// Adds the problems that may come to an operation that does not document them itself.
pub(super) fn add_problems(operation: &mut Map<String, Value>, method: &str, access: Access) {
    let shape = Shape::of(operation, method, access);
    let statuses: Vec<u16> =
        STATUSES.iter().map(|(status, _)| *status).filter(|s| shape.may_answer(*s)).collect();
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return };
    for status in statuses {
        let reference = json!({ "$ref": format!("#/components/responses/Problem{status}") });
        responses.entry(status.to_string()).or_insert(reference);
    }
    responses.entry("default").or_insert_with(|| json!({ "$ref": "#/components/responses/Problem" }));
}

/// What of an operation decides which problems it may answer.
struct Shape<'o> {
    method: &'o str,
    access: Access,
    has_body: bool,
    /// Where each parameter is, and its name.
    parameters: Vec<(&'o str, &'o str)>,
}

impl<'o> Shape<'o> {
    fn of(operation: &'o Map<String, Value>, method: &'o str, access: Access) -> Self {
        let text = |parameter: &'o Value, key| parameter.get(key).and_then(Value::as_str).unwrap_or_default();
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        Self {
            method,
            access,
            has_body: operation.contains_key("requestBody"),
            parameters: parameters
                .map(|parameter| (text(parameter, "in"), text(parameter, "name")))
                .collect(),
        }
    }

    fn may_answer(&self, status: u16) -> bool {
        let is_in = |place| self.parameters.iter().any(|(at, _)| *at == place);
        match status {
            400 => self.has_body || !self.parameters.is_empty(),
            // A public operation with a body may check credentials in it, as a sign-in does.
            401 => self.access == Access::Authenticated || self.has_body,
            403 => self.access == Access::Authenticated,
            404 => is_in("path"),
            408 | 413 | 415 => self.has_body,
            409 => !matches!(self.method, "get" | "head" | "options" | "trace"),
            412 | 428 => self.parameters.contains(&("header", "If-Match")),
            422 => {
                self.has_body || is_in("query") || self.parameters.contains(&("header", "Idempotency-Key"))
            }
            _ => true,
        }
    }
}

/// Adds what the references of [`add_problems`] refer to, and the security scheme.
pub(super) fn add_components(components: &mut Map<String, Value>) {
    let mut responses = Map::new();
    responses.insert("Problem".to_owned(), response("Something else went wrong."));
    for (status, words) in STATUSES {
        responses.insert(format!("Problem{status}"), response(words));
    }
    components.insert("responses".to_owned(), Value::Object(responses));
    let schemas = components.entry("schemas").or_insert_with(|| json!({}));
    if let Some(schemas) = schemas.as_object_mut() {
        schemas.insert(ProblemDocument::name().into_owned(), json_of(&ProblemDocument::schema()));
        schemas.insert(Fault::name().into_owned(), json_of(&Fault::schema()));
    }
    let bearer = json!({ BEARER: { "type": "http", "scheme": "bearer" } });
    components.insert("securitySchemes".to_owned(), bearer);
}

fn response(words: &str) -> Value {
    let schema = format!("#/components/schemas/{}", ProblemDocument::name());
    json!({ "description": words, "content": { MEDIA_TYPE: { "schema": { "$ref": schema } } } })
}

fn json_of(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
