//! The OpenAPI document of a server, and answers held against it.

use serde_json::{Map, Value};

use super::Answer;
use super::schema::Schemas;

#[derive(Debug, Default)]
pub(crate) struct Document(Value);

/// One operation of the document.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) method: String,
    /// Such as `/v1/invoices/{id}`.
    pub(crate) path: String,
    definition: Value,
}

impl Operation {
    pub(crate) fn is_public(&self) -> bool {
        self.definition["security"].as_array().is_some_and(Vec::is_empty)
    }

    /// The path with this id in place of its parameters.
    pub(crate) fn path_of(&self, id: &str) -> String {
        let segments =
            self.path.split('/').map(|segment| if segment.starts_with('{') { id } else { segment });
        segments.collect::<Vec<_>>().join("/")
    }

    pub(crate) fn has_id(&self) -> bool {
        self.path.contains("{id}")
    }

    /// The names of the headers that it needs.
    pub(crate) fn required_headers(&self) -> Vec<String> {
        let parameters = self.definition["parameters"].as_array().cloned().unwrap_or_default();
        let headers = parameters
            .iter()
            .filter(|parameter| parameter["in"] == "header" && parameter["required"] == true);
        headers.map(|header| header["name"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn has_body(&self) -> bool {
        self.definition.get("requestBody").is_some()
    }
}

impl Document {
    pub(crate) fn new(document: Value) -> Self {
        Self(document)
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        let Some(paths) = self.0["paths"].as_object() else { return Vec::new() };
        let mut operations = Vec::new();
        for (path, methods) in paths {
            for (method, definition) in methods.as_object().into_iter().flatten() {
                let (method, path) = (method.to_uppercase(), path.clone());
                operations.push(Operation { method, path, definition: definition.clone() });
            }
        }
        operations
    }

    /// Holds an answer against what the document says about its operation: status, media type, headers and body. Paths that
    /// are in no document have problems, or are pages of the document itself.
    pub(crate) fn check(&self, method: &str, path: &str, answer: &Answer) {
        let Some(operation) = self.find(method, path) else {
            if answer.status >= 400 && method != "HEAD" {
                answer.checked_problem();
            }
            return;
        };
        let responses = operation.definition["responses"].as_object().expect("responses");
        let place = format!("{method} {path} -> {}", answer.status);
        let status = answer.status.to_string();
        let response =
            responses.get(&status).unwrap_or_else(|| panic!("{place} is not documented: {answer:?}"));
        self.check_response(self.resolved(response), &place, answer);
    }

    fn check_response(&self, response: &Value, place: &str, answer: &Answer) {
        for (name, header) in response["headers"].as_object().into_iter().flatten() {
            let is_there = !answer.header(name).is_empty();
            assert!(is_there || header["required"] != true, "{place} has no {name}: {answer:?}");
        }
        let Some(content) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "{place} has an undocumented body: {answer:?}");
            return;
        };
        let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
        if media_type == "application/problem+json" {
            answer.checked_problem();
        }
        let Some(media) = media(content, media_type) else {
            panic!("{place} is {media_type}, and documented is {:?}", content.keys().collect::<Vec<_>>());
        };
        if let Some(schema) = media.get("schema") {
            let body: Value =
                serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{place}: {error}"));
            let faults = Schemas::of(&self.0).faults(schema, &body);
            assert!(faults.is_empty(), "{place} breaks its schema: {faults:?}\n{body:#}");
        }
    }

    fn find(&self, method: &str, path: &str) -> Option<Operation> {
        let fits = |template: &str| {
            let (template, path): (Vec<_>, Vec<_>) =
                (template.split('/').collect(), path.split('/').collect());
            let is_same =
                |(part, given): (&&str, &&str)| part == given || (part.starts_with('{') && !given.is_empty());
            template.len() == path.len() && template.iter().zip(&path).all(is_same)
        };
        self.operations().into_iter().find(|operation| operation.method == method && fits(&operation.path))
    }

    fn resolved<'v>(&'v self, value: &'v Value) -> &'v Value {
        match value["$ref"].as_str() {
            Some(reference) => {
                self.0.pointer(reference.trim_start_matches('#')).expect("a reference that leads somewhere")
            }
            None => value,
        }
    }
}

/// Objects come in media types of their own; the document says `application/octet-stream` for all.
fn media<'c>(content: &'c Map<String, Value>, media_type: &str) -> Option<&'c Value> {
    content.get(media_type).or_else(|| content.get("application/octet-stream"))
}
