//! The part of JSON Schema that our documents use. A keyword that is not known here fails the test, so that nothing passes
//! because nobody looked.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

const WORDS_ONLY: [&str; 4] = ["title", "description", "default", "examples"];

pub(super) struct Schemas<'d>(&'d Value);

impl<'d> Schemas<'d> {
    /// The schemas of a document.
    pub(super) fn of(document: &'d Value) -> Self {
        Self(document)
    }

    /// Everything in which a value breaks a schema.
    pub(super) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = Vec::new();
        self.check(schema, value, "", &mut faults);
        faults
    }

    /// A whole value: servers tell what they document and nothing more, so a property without a schema is a fault, too.
    fn check(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let mut declared = BTreeSet::new();
        self.declared(schema, &mut declared);
        let properties = value.as_object().into_iter().flatten().map(|(name, _)| name);
        let unknown = properties.filter(|name| !declared.is_empty() && !declared.contains(name.as_str()));
        faults.extend(unknown.map(|name| format!("{at}/{name}: is not documented")));
        self.check_part(schema, value, at, faults);
    }

    /// The properties that a schema knows, wherever its parts stand.
    fn declared<'s>(&'s self, schema: &'s Value, names: &mut BTreeSet<&'s str>) {
        names.extend(schema["properties"].as_object().into_iter().flatten().map(|(name, _)| name.as_str()));
        if let Some(reference) = schema["$ref"].as_str() {
            self.declared(self.referred(reference), names);
        }
        for keyword in ["allOf", "oneOf"] {
            schema[keyword].as_array().into_iter().flatten().for_each(|part| self.declared(part, names));
        }
    }

    fn referred(&self, reference: &str) -> &Value {
        self.0.pointer(reference.trim_start_matches('#')).expect("a reference that leads somewhere")
    }

    fn check_part(&self, schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
        let schema = schema.as_object().unwrap_or_else(|| panic!("a schema that is no object at {at}"));
        let mut must = |holds: bool, rule: String| {
            if !holds {
                faults.push(format!("{at}: {rule}"));
            }
        };
        for (keyword, rule) in schema {
            match (keyword.as_str(), rule) {
                ("type", rule) => must(has_type(rule, value), format!("is not {rule}")),
                ("enum", Value::Array(items)) => must(items.contains(value), format!("is none of {rule}")),
                ("minimum", rule) => must(value.as_f64() >= rule.as_f64(), format!("is less than {rule}")),
                ("maximum", rule) => must(value.as_f64() <= rule.as_f64(), format!("is more than {rule}")),
                ("format", Value::String(format)) => {
                    must(has_format(format, value), format!("is no {format}"));
                }
                ("required", Value::Array(names)) => {
                    for name in names.iter().filter_map(Value::as_str) {
                        must(value.get(name).is_some(), format!("has no {name}"));
                    }
                }
                _ => {}
            }
        }
        self.check_parts(schema, value, at, faults);
    }

    /// The keywords that lead to other schemas.
    fn check_parts(&self, schema: &Map<String, Value>, value: &Value, at: &str, faults: &mut Vec<String>) {
        for (keyword, rule) in schema {
            match (keyword.as_str(), rule) {
                ("$ref", Value::String(reference)) => {
                    self.check_part(self.referred(reference), value, at, faults);
                }
                ("properties", Value::Object(properties)) => {
                    self.check_properties(properties, value, at, faults);
                }
                ("items", schema) => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.check(schema, item, &format!("{at}/{index}"), faults);
                    }
                }
                ("allOf", Value::Array(parts)) => {
                    for part in parts {
                        self.check_part(part, value, at, faults);
                    }
                }
                ("oneOf", Value::Array(parts)) => {
                    let fitting = parts.iter().filter(|part| self.fits(part, value)).count();
                    if fitting != 1 {
                        faults.push(format!("{at}: fits {fitting} of the alternatives"));
                    }
                }
                ("type" | "enum" | "minimum" | "maximum" | "format" | "required", _) => {}
                (other, _) => assert!(WORDS_ONLY.contains(&other), "this test knows no {other}"),
            }
        }
    }

    fn check_properties(
        &self,
        properties: &Map<String, Value>,
        value: &Value,
        at: &str,
        faults: &mut Vec<String>,
    ) {
        for (name, schema) in properties {
            if let Some(part) = value.get(name) {
                self.check(schema, part, &format!("{at}/{name}"), faults);
            }
        }
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut faults = Vec::new();
        self.check_part(schema, value, "", &mut faults);
        faults.is_empty()
    }
}

fn has_type(rule: &Value, value: &Value) -> bool {
    let is = |name: &Value| match name.as_str().expect("a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("there is no type {other}"),
    };
    rule.as_array().map_or_else(|| is(rule), |names| names.iter().any(is))
}

fn has_format(format: &str, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    match format {
        _ if value.is_null() => true,
        "int32" => value.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        "int64" => value.is_i64() || value.is_u64(),
        "uuid" => text.len() == 36 && text.parse::<dolmen::Uuid>().is_ok() && text == text.to_lowercase(),
        "date-time" => text.len() == 27 && text.ends_with('Z') && text.parse::<dolmen::Timestamp>().is_ok(),
        other => panic!("this test knows no format {other}"),
    }
}
