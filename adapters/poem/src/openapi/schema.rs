//! Schemas from OpenAPI 3.0 to JSON Schema, as OpenAPI 3.1 has it.

use serde_json::{Map, Value, json};

/// Lifts a schema and all within it, in place.
pub(super) fn lift_schema(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    for name in ["items", "additionalProperties", "not"] {
        if let Some(part) = object.get_mut(name) {
            lift_schema(part);
        }
    }
    for name in ["allOf", "anyOf", "oneOf"] {
        for part in object.get_mut(name).and_then(Value::as_array_mut).into_iter().flatten() {
            lift_schema(part);
        }
    }
    lift_properties(object);
    lift_bound(object, "minimum", "exclusiveMinimum");
    lift_bound(object, "maximum", "exclusiveMaximum");
    if let Some(example) = object.remove("example") {
        object.insert("examples".to_owned(), json!([example]));
    }
    if object.remove("nullable") == Some(Value::Bool(true)) {
        allow_null(schema);
    }
}

/// What may be missing may be null as well: an `Option` takes null and writes it, and poem-openapi does not say so.
fn lift_properties(object: &mut Map<String, Value>) {
    let required: Vec<String> = match object.get("required").and_then(Value::as_array) {
        Some(names) => names.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        None => Vec::new(),
    };
    let Some(properties) = object.get_mut("properties").and_then(Value::as_object_mut) else { return };
    for (name, property) in properties {
        lift_schema(property);
        if !required.contains(name) {
            allow_null(property);
        }
    }
}

/// 3.0 says `minimum: 1, exclusiveMinimum: true` for what is now `exclusiveMinimum: 1`.
fn lift_bound(object: &mut Map<String, Value>, inclusive: &str, exclusive: &str) {
    let is_exclusive = object.remove(exclusive) == Some(Value::Bool(true));
    if let Some(bound) = object.remove(inclusive) {
        let name = if is_exclusive { exclusive } else { inclusive };
        object.insert(name.to_owned(), without_fraction(bound));
    }
}

/// Writes `200.0` as `200`: bounds come as floating-point numbers.
fn without_fraction(number: Value) -> Value {
    let text = number.as_f64().filter(|value| value.fract() == 0.0).map(|value| format!("{value:.0}"));
    text.and_then(|text| text.parse::<i64>().ok()).map_or(number, Value::from)
}

fn allow_null(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    let only_type = object.get("type").and_then(Value::as_str).map(str::to_owned);
    match only_type {
        Some(only) => {
            object.insert("type".to_owned(), json!([only, "null"]));
            if let Some(items) = object.get_mut("enum").and_then(Value::as_array_mut) {
                items.push(Value::Null);
            }
        }
        None if object.contains_key("$ref") || object.contains_key("allOf") => {
            let described = object.remove("description");
            let inner = schema.take();
            *schema = json!({ "anyOf": [inner, { "type": "null" }] });
            if let (Some(object), Some(words)) = (schema.as_object_mut(), described) {
                object.insert("description".to_owned(), words);
            }
        }
        None => {
            for name in ["anyOf", "oneOf"] {
                if let Some(parts) = object.get_mut(name).and_then(Value::as_array_mut) {
                    parts.push(json!({ "type": "null" }));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifted(mut schema: Value) -> Value {
        lift_schema(&mut schema);
        schema
    }

    #[test]
    fn what_may_be_missing_may_be_null() {
        let schema = json!({
            "type": "object", "required": ["id"],
            "properties": {
                "id": { "type": "string" },
                "number": { "type": "integer", "format": "int64" },
                "state": { "$ref": "#/components/schemas/State" },
                "nullable": { "type": "string", "enum": ["a"] }
            }
        });
        assert_eq!(
            lifted(schema),
            json!({
                "type": "object", "required": ["id"],
                "properties": {
                    "id": { "type": "string" },
                    "number": { "type": ["integer", "null"], "format": "int64" },
                    "state": { "anyOf": [{ "$ref": "#/components/schemas/State" }, { "type": "null" }] },
                    "nullable": { "type": ["string", "null"], "enum": ["a", null] }
                }
            })
        );
    }

    #[test]
    fn bounds_and_examples_get_their_new_form() {
        let schema = json!({
            "type": "array",
            "items": { "type": "integer", "minimum": 0.0, "exclusiveMinimum": true, "maximum": 200.0, "exclusiveMaximum": false },
            "example": [1]
        });
        assert_eq!(
            lifted(schema),
            json!({
                "type": "array",
                "items": { "type": "integer", "exclusiveMinimum": 0, "maximum": 200 },
                "examples": [[1]]
            })
        );
    }

    #[test]
    fn nullable_in_its_old_form_is_lifted_as_well() {
        assert_eq!(
            lifted(json!({ "type": "string", "nullable": true })),
            json!({ "type": ["string", "null"] })
        );
        assert_eq!(
            lifted(json!({ "oneOf": [{ "type": "string" }], "nullable": true })),
            json!({ "oneOf": [{ "type": "string" }, { "type": "null" }] })
        );
    }
}
