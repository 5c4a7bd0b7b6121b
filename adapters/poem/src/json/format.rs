//! What a documented format demands of a text or a number.

use dolmen::Timestamp;
use dolmen_ports::parse_id;
use serde_json::Number;

/// The rule that a text breaks, by its format.
pub(super) fn text_rule(format: &str, text: &str) -> Option<&'static str> {
    match format {
        "uuid" if parse_id(text).is_err() => {
            Some("must be an id such as 0198c0de-0000-7000-8000-000000000001")
        }
        "date-time" if text.parse::<Timestamp>().is_err() => {
            Some("must be RFC 3339 with an offset and a year from 1 to 9999, such as 2026-10-01T12:00:00Z")
        }
        _ => None,
    }
}

/// The rule that a whole number breaks, by its format.
pub(super) fn integer_rule(format: Option<&str>, number: &Number) -> Option<String> {
    let (low, high) = match format {
        Some("int8") => (i128::from(i8::MIN), i128::from(i8::MAX)),
        Some("int16") => (i128::from(i16::MIN), i128::from(i16::MAX)),
        Some("int32") => (i128::from(i32::MIN), i128::from(i32::MAX)),
        Some("uint8") => (0, i128::from(u8::MAX)),
        Some("uint16") => (0, i128::from(u16::MAX)),
        Some("uint32") => (0, i128::from(u32::MAX)),
        Some("uint64") => (0, i128::from(u64::MAX)),
        _ => (i128::from(i64::MIN), i128::from(i64::MAX)),
    };
    match number.as_i128() {
        Some(value) if (low..=high).contains(&value) => None,
        Some(_) => Some(format!("must be {low} to {high}")),
        None if number.as_f64().is_some_and(|value| value.fract() == 0.0) => {
            Some(format!("must be a whole number from {low} to {high}, written without exponent or point"))
        }
        None => Some("must be an integer".to_owned()),
    }
}
