//! Parameters that document themselves.
//!
//! poem-openapi names a parameter after the handler's argument and allows one parameter per extractor. Extractors of this
//! crate stand for headers with fixed names, or for two parameters; so they document a marker, and the lift of the document
//! puts what it stands for in its place.

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use serde_json::{Value, json};

use super::idempotency_key::MAX_KEY;
use super::page::{DEFAULT_LIMIT, MAX_LIMIT};

/// Which parameters an extractor stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marker {
    IfMatch,
    IdempotencyKey,
    Page,
}

impl Marker {
    const ALL: [Self; 3] = [Self::IfMatch, Self::IdempotencyKey, Self::Page];

    const fn format(self) -> &'static str {
        match self {
            Self::IfMatch => "dolmen-if-match",
            Self::IdempotencyKey => "dolmen-idempotency-key",
            Self::Page => "dolmen-page",
        }
    }

    pub(crate) fn schema(self) -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", self.format())))
    }

    fn parameters(self) -> Vec<Value> {
        match self {
            Self::IfMatch => vec![json!({
                "name": "If-Match", "in": "header", "required": true,
                "description": "The ETag that you read; the change is refused when it is no longer current.",
                "schema": { "type": "string", "pattern": "^\"[^\", ]+\"$" }
            })],
            Self::IdempotencyKey => vec![json!({
                "name": "Idempotency-Key", "in": "header", "required": true,
                "description": "Your own key for this request: repeated with the same body, it gets the first answer again.",
                "schema": { "type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$" }
            })],
            Self::Page => vec![
                json!({
                    "name": "limit", "in": "query", "required": false, "description": "How many items at most.",
                    "schema": { "type": "integer", "format": "int32", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT }
                }),
                json!({
                    "name": "cursor", "in": "query", "required": false,
                    "description": "`next_cursor` of the page before.",
                    "schema": { "type": "string", "pattern": "^[A-Za-z0-9_-]*$" }
                }),
            ],
        }
    }
}

/// What a documented parameter stands for, when it is a marker.
pub(crate) fn expand(parameter: &Value) -> Option<Vec<Value>> {
    let format = parameter.pointer("/schema/format")?.as_str()?;
    Marker::ALL.into_iter().find(|marker| marker.format() == format).map(Marker::parameters)
}
