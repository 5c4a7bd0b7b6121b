//! Bytes to a JSON value, refusing what other readers let pass.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::{Map, Number, Value};

use crate::problem::Problem;

/// Reads a JSON text.
///
/// # Errors
/// 400: not UTF-8, not JSON, or a key that occurs twice in one object (of which readers keep one, each its own).
pub(super) fn read(bytes: &[u8]) -> Result<Value, Problem> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Err(Problem::bad_request("request/invalid-encoding", "the body is not valid UTF-8"));
    };
    serde_json::from_str(text).map(|Strict(value)| value).map_err(|error| refused(&error))
}

fn refused(error: &serde_json::Error) -> Problem {
    let words = error.to_string();
    match error.classify() {
        Category::Data => Problem::bad_request("request/duplicate-key", format!("the body has a {words}")),
        _ if words.contains("hex escape") => Problem::bad_request(
            "request/invalid-encoding",
            format!("the body is not valid Unicode: {words}"),
        ),
        _ => Problem::bad_request("request/invalid-json", format!("the body is not valid JSON: {words}")),
    }
}

struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                let shown: String = key.chars().take(80).collect();
                return Err(de::Error::custom(format_args!("duplicate key {shown:?}")));
            }
            let Strict(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        for (text, code) in [
            ("", "request/invalid-json"),
            (r#"{"a": 1"#, "request/invalid-json"),
            ("{'a': 1}", "request/invalid-json"),
            ("NaN", "request/invalid-json"),
            ("1e400", "request/invalid-json"),
            ("[] []", "request/invalid-json"),
            (r#"{"a": 1, "b": {"c": 2, "c": 3}}"#, "request/duplicate-key"),
            (r#""\ud800""#, "request/invalid-encoding"),
        ] {
            let problem = read(text.as_bytes()).unwrap_err();
            assert_eq!((problem.status().as_u16(), problem.code()), (400, code), "{text}");
            assert!(
                problem.detail().contains("line 1 column") || problem.detail().contains("surrogate"),
                "{problem}"
            );
        }
        assert_eq!(read(b"\"\xff\"").unwrap_err().code(), "request/invalid-encoding");
        assert_eq!(read("[".repeat(10_000).as_bytes()).unwrap_err().code(), "request/invalid-json");
    }

    #[test]
    fn what_is_json_is_read_as_it_is() {
        let text = r#"{"a":[1,-2,2.5,18446744073709551615,true,null,"ä😀"],"b":{}}"#;
        assert_eq!(read(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }
}
