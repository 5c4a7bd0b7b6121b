//! One API's document from 3.0 to 3.1, with what the service really answers.

use dolmen::Access;
use poem::http::StatusCode;
use serde_json::{Map, Value, json};

use super::problems::{add_components, add_problems};
use super::schema::lift_schema;
use crate::extract::{BEARER, expand};

const JSON: &str = "application/json";

/// Lifts a document in place. Operations without a tag get `tag`.
pub(crate) fn lift(document: &mut Value, tag: &str, access: Access) {
    if !document.is_object() {
        *document = json!({ "info": { "title": tag, "version": "1" }, "paths": {} });
    }
    let Some(document) = document.as_object_mut() else { return };
    document.insert("openapi".to_owned(), json!("3.1.0"));
    document.remove("servers");
    for (path, item) in members(document.get_mut("paths")) {
        for (method, operation) in members(Some(item)) {
            if let Some(operation) = operation.as_object_mut() {
                lift_operation(operation, path, method, tag, access);
            }
        }
    }
    let components = document.entry("components").or_insert_with(|| json!({}));
    if let Some(components) = components.as_object_mut() {
        for (_, schema) in members(components.get_mut("schemas")) {
            lift_schema(schema);
        }
        add_components(components);
    }
}

fn members(object: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    object.and_then(Value::as_object_mut).into_iter().flatten()
}

fn lift_operation(operation: &mut Map<String, Value>, path: &str, method: &str, tag: &str, access: Access) {
    lift_parameters(operation);
    if let Some(body) = operation.get_mut("requestBody") {
        lift_content(body);
    }
    for (status, response) in members(operation.get_mut("responses")) {
        describe(response, status);
        lift_content(response);
        for (_, header) in members(response.get_mut("headers")) {
            lift_described(header);
        }
    }
    operation.entry("tags").or_insert_with(|| json!([tag]));
    operation.entry("operationId").or_insert_with(|| json!(operation_id(method, path)));
    let security = if access == Access::Authenticated { json!([{ BEARER: [] }]) } else { json!([]) };
    operation.insert("security".to_owned(), security);
    add_problems(operation, method, access);
}

fn lift_parameters(operation: &mut Map<String, Value>) {
    let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) else { return };
    let mut lifted = Vec::new();
    for mut parameter in parameters.drain(..) {
        if let Some(expanded) = expand(&parameter) {
            lifted.extend(expanded);
        } else {
            lift_described(&mut parameter);
            lifted.push(parameter);
        }
    }
    *parameters = lifted;
}

/// A parameter or a header: its schema, without what says nothing.
fn lift_described(part: &mut Value) {
    if let Some(schema) = part.get_mut("schema") {
        lift_schema(schema);
    }
    if let Some(part) = part.as_object_mut() {
        part.retain(|key, value| !(key == "deprecated" && *value == false || key == "explode"));
    }
}

/// Media types lose their `charset`, which clients compare literally.
fn lift_content(part: &mut Value) {
    let Some(content) = part.get_mut("content").and_then(Value::as_object_mut) else { return };
    for (media_type, mut media) in std::mem::take(content) {
        if let Some(schema) = media.get_mut("schema") {
            lift_schema(schema);
        }
        let name = if media_type.starts_with(JSON) { JSON.to_owned() } else { media_type };
        content.insert(name, media);
    }
}

fn describe(response: &mut Value, status: &str) {
    if response.get("description").and_then(Value::as_str).is_some_and(|words| !words.is_empty()) {
        return;
    }
    let reason = status.parse().ok().and_then(|code| StatusCode::from_u16(code).ok());
    let words = reason.and_then(|status| status.canonical_reason()).unwrap_or("An answer");
    if let Some(response) = response.as_object_mut() {
        response.insert("description".to_owned(), json!(format!("{words}.")));
    }
}

/// A name that stays while method and path stay, such as `get_v1_customers_id`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path.split(['/', '{', '}', '-']).filter(|word| !word.is_empty());
    words.fold(method.to_owned(), |id, word| format!("{id}_{word}"))
}

/// The router's path for a path of a document: poem-openapi numbers the parameters.
pub(crate) fn pattern_of(template: &str) -> String {
    let mut parameters = 0;
    let segments = template.split('/').map(|segment| {
        if segment.starts_with('{') && segment.ends_with('}') {
            parameters += 1;
            format!(":param{}", parameters - 1)
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}
