//! Holds a JSON value against the schema that is documented for it, and tells everything that is wrong at once.

use std::any::{TypeId, type_name};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use poem_openapi::types::Type;
use serde_json::{Map, Value};

use super::format::{integer_rule, text_rule};
use super::near::is_near;
use crate::problem::{Fault, Problem};

const MAX_FAULTS: usize = 20;

/// The documented schema of a type, with all that it refers to.
pub(super) struct Schema {
    root: MetaSchemaRef,
    named: BTreeMap<String, MetaSchema>,
}

type Schemas = RwLock<HashMap<TypeId, Arc<Schema>>>;

impl Schema {
    /// The schema of a type, made once.
    pub(super) fn of<T: Type + 'static>() -> Arc<Self> {
        static SCHEMAS: OnceLock<Schemas> = OnceLock::new();
        let schemas = SCHEMAS.get_or_init(Schemas::default);
        let id = TypeId::of::<T>();
        if let Some(schema) = schemas.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Arc::clone(schema);
        }
        let mut registry = Registry::new();
        T::register(&mut registry);
        let schema = Arc::new(Self { root: T::schema_ref(), named: registry.schemas });
        tracing::trace!(body = type_name::<T>(), "made the schema of a body");
        schemas.write().unwrap_or_else(PoisonError::into_inner).insert(id, Arc::clone(&schema));
        schema
    }

    /// Holds a value against the schema.
    ///
    /// # Errors
    /// 422 with every fault, at most 20.
    pub(super) fn check(&self, value: &Value) -> Result<(), Problem> {
        let mut check = Check { schema: self, pointer: String::new(), faults: Vec::new(), code: None };
        check.reference(&self.root, value);
        match check.code {
            None => Ok(()),
            Some(code) => Err(Problem::invalid_as(code, check.faults)),
        }
    }
}

struct Check<'s> {
    schema: &'s Schema,
    pointer: String,
    faults: Vec<Fault>,
    /// The code of the faults, as long as all of them are of one sort.
    code: Option<&'static str>,
}

impl<'s> Check<'s> {
    fn fault(&mut self, code: &'static str, pointer: String, message: impl Into<String>) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.push(Fault::new(pointer, message.into()));
        }
        self.code = match self.code {
            None => Some(code),
            Some(before) if before == code => Some(code),
            Some(_) => Some("request/validation"),
        };
    }

    fn must(&mut self, message: impl Into<String>) {
        self.fault("request/validation", self.pointer.clone(), message);
    }

    fn within(&mut self, part: &str, schema: &'s MetaSchemaRef, value: &Value) {
        let length = self.pointer.len();
        self.pointer = child(&self.pointer, part);
        self.reference(schema, value);
        self.pointer.truncate(length);
    }

    fn reference(&mut self, schema: &'s MetaSchemaRef, value: &Value) {
        match schema {
            MetaSchemaRef::Inline(schema) => self.schema(schema, value),
            MetaSchemaRef::Reference(name) => {
                if let Some(schema) = self.schema.named.get(name) {
                    self.schema(schema, value);
                }
            }
        }
    }

    fn schema(&mut self, schema: &'s MetaSchema, value: &Value) {
        if schema.nullable && value.is_null() {
            return;
        }
        for part in &schema.all_of {
            self.reference(part, value);
        }
        if !schema.enum_items.is_empty() && !schema.enum_items.contains(value) {
            let items: Vec<String> = schema.enum_items.iter().map(Value::to_string).collect();
            return self.must(format!("must be one of {}", items.join(", ")));
        }
        match (schema.ty, value) {
            ("object", Value::Object(object)) => self.object(schema, object),
            ("array", Value::Array(items)) => self.array(schema, items),
            ("string", Value::String(text)) => self.text(schema, text),
            ("integer", Value::Number(number)) => {
                if let Some(rule) = integer_rule(schema.format, number) {
                    return self.must(rule);
                }
                self.bounds(schema, value);
            }
            ("number", Value::Number(_)) => self.bounds(schema, value),
            ("boolean", Value::Bool(_)) | ("", _) => {}
            ("object", _) => self.must("must be an object"),
            ("array", _) => self.must("must be an array"),
            ("integer", _) => self.must("must be an integer"),
            (other, _) => self.must(format!("must be a {other}")),
        }
    }

    fn object(&mut self, schema: &'s MetaSchema, object: &Map<String, Value>) {
        for name in &schema.required {
            if !object.contains_key(*name) {
                self.fault("request/validation", child(&self.pointer, name), "is required");
            }
        }
        for (name, value) in object {
            if let Some((_, property)) = schema.properties.iter().find(|(property, _)| property == name) {
                // What may be missing may be null as well; the lifted document says so.
                if !value.is_null() || schema.required.contains(&name.as_str()) {
                    self.within(name, property, value);
                }
            } else if let Some(additional) = &schema.additional_properties {
                self.within(name, additional, value);
            } else if !schema.properties.is_empty() {
                self.unknown(schema, name);
            }
        }
    }

    fn unknown(&mut self, schema: &MetaSchema, name: &str) {
        let shown: String = name.chars().take(80).collect();
        let near = schema.properties.iter().map(|(property, _)| *property).find(|known| is_near(known, name));
        let hint = near.map(|known| format!(" (did you mean {}?)", child(&self.pointer, known)));
        let message = format!("is not a known field{}", hint.unwrap_or_default());
        self.fault("request/unknown-field", child(&self.pointer, &shown), message);
    }

    fn array(&mut self, schema: &'s MetaSchema, items: &[Value]) {
        if schema.min_items.is_some_and(|least| items.len() < least) {
            self.must(format!("must have {} or more items", schema.min_items.unwrap_or_default()));
        }
        if schema.max_items.is_some_and(|most| items.len() > most) {
            return self.must(format!("must have at most {} items", schema.max_items.unwrap_or_default()));
        }
        let Some(item_schema) = &schema.items else { return };
        for (index, item) in items.iter().enumerate() {
            if self.faults.len() >= MAX_FAULTS {
                return;
            }
            self.within(&index.to_string(), item_schema, item);
        }
    }

    fn text(&mut self, schema: &MetaSchema, text: &str) {
        if text.contains('\0') {
            return self.fault("request/nul-character", self.pointer.clone(), "must not contain U+0000");
        }
        let length = text.chars().count();
        if schema.min_length.is_some_and(|least| length < least) {
            self.must(format!("must have {} or more characters", schema.min_length.unwrap_or_default()));
        }
        if schema.max_length.is_some_and(|most| length > most) {
            self.must(format!("must have at most {} characters", schema.max_length.unwrap_or_default()));
        }
        if let Some(rule) = schema.format.and_then(|format| text_rule(format, text)) {
            self.must(rule);
        }
    }

    fn bounds(&mut self, schema: &MetaSchema, value: &Value) {
        let Some(number) = value.as_f64() else { return };
        let (above, below) = (schema.exclusive_minimum == Some(true), schema.exclusive_maximum == Some(true));
        match (schema.minimum, schema.maximum) {
            (Some(least), _) if above && number <= least => self.must(format!("must be more than {least}")),
            (Some(least), _) if number < least => self.must(format!("must be {least} or more")),
            (_, Some(most)) if below && number >= most => self.must(format!("must be less than {most}")),
            (_, Some(most)) if number > most => self.must(format!("must be {most} or less")),
            _ => {}
        }
    }
}

/// The pointer to a part, with `~` and `/` written as RFC 6901 wants.
fn child(pointer: &str, part: &str) -> String {
    format!("{pointer}/{}", part.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use poem_openapi::{Enum, Object};
    use serde_json::json;

    use super::*;
    use crate::extract::Rfc3339;

    #[derive(Enum)]
    #[oai(rename_all = "lowercase")]
    enum Colour {
        Red,
        Blue,
    }

    #[derive(Object)]
    struct Line {
        #[oai(validator(min_length = 1, max_length = 3))]
        name: String,
        #[oai(validator(minimum(value = "1")))]
        quantity: i32,
    }

    #[derive(Object)]
    struct Order {
        at: Rfc3339,
        #[oai(validator(min_items = 1))]
        lines: Vec<Line>,
        colour: Colour,
        note: Option<String>,
        total: i64,
    }

    fn faults(value: &Value) -> Vec<String> {
        match Schema::of::<Order>().check(value) {
            Ok(()) => Vec::new(),
            Err(problem) => {
                let mut faults: Vec<String> = problem.faults().iter().map(Fault::to_string).collect();
                faults.sort();
                faults.insert(0, problem.code().to_owned());
                faults
            }
        }
    }

    fn order() -> Value {
        json!({"at": "2026-10-01T12:00:00Z", "lines": [{"name": "a", "quantity": 1}], "colour": "red", "total": 5})
    }

    fn with(pointer: &str, value: Value) -> Value {
        let mut order = order();
        if let Some(part) = order.pointer_mut(pointer) {
            *part = value;
        } else {
            order[pointer.trim_start_matches('/')] = value;
        }
        order
    }

    #[test]
    fn a_valid_value_passes() {
        assert_eq!(faults(&order()), Vec::<String>::new());
        assert_eq!(faults(&with("/note", Value::Null)), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let value = json!({"at": "23:60", "lines": [{"name": "long", "quantity": 0}, {}], "colour": "green", "total": 1.5});
        assert_eq!(
            faults(&value),
            [
                "request/validation",
                "/at must be RFC 3339 with an offset and a year from 1 to 9999, such as 2026-10-01T12:00:00Z",
                "/colour must be one of \"red\", \"blue\"",
                "/lines/0/name must have at most 3 characters",
                "/lines/0/quantity must be 1 or more",
                "/lines/1/name is required",
                "/lines/1/quantity is required",
                "/total must be an integer",
            ]
        );
    }

    #[test]
    fn special_faults_have_codes_of_their_own() {
        assert_eq!(
            faults(&with("/nots", json!("x"))),
            ["request/unknown-field", "/nots is not a known field (did you mean /note?)"]
        );
        assert_eq!(faults(&with("/id", json!(1))), ["request/unknown-field", "/id is not a known field"]);
        assert_eq!(
            faults(&with("/note", json!("a\0b"))),
            ["request/nul-character", "/note must not contain U+0000"]
        );
    }

    #[test]
    fn numbers_out_of_range_are_told_the_range() {
        assert_eq!(
            faults(&with("/total", json!(9_223_372_036_854_775_808_u64)))[1],
            "/total must be -9223372036854775808 to 9223372036854775807"
        );
        assert_eq!(
            faults(&with("/lines/0/quantity", json!(2_147_483_648_u64)))[1],
            "/lines/0/quantity must be -2147483648 to 2147483647"
        );
        assert_eq!(faults(&with("/total", Value::Null))[1], "/total must be an integer");
    }

    #[test]
    fn wrong_shapes_are_named() {
        assert_eq!(faults(&json!([])), ["request/validation", "the body must be an object"]);
        assert_eq!(faults(&with("/lines", json!("x")))[1], "/lines must be an array");
        assert_eq!(faults(&with("/lines", json!([])))[1], "/lines must have 1 or more items");
        assert_eq!(faults(&with("/at", json!(5)))[1], "/at must be a string");
    }
}
