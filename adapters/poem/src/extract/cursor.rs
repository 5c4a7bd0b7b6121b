//! Cursors: where the next page begins, opaque to clients.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::problem::Problem;

const CHECKSUM: usize = 6;
const MAX_CURSOR: usize = 1_024;

/// The key of the last item of a page, as URL-safe text with a checksum.
///
/// The checksum catches cursors that were cut, mixed up or made by hand. It is no secret: read a cursor like any other input,
/// and never let it carry a tenant or a permission.
///
/// # Examples
/// ```
/// use dolmen_poem::Cursor;
///
/// let cursor = Cursor::of(&("Ada", 17)).unwrap();
/// assert_eq!(Cursor::parse(cursor.as_str()).unwrap().key::<(String, i64)>().unwrap(), ("Ada".to_owned(), 17));
/// assert!(Cursor::parse(&cursor.as_str()[1..]).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    text: String,
    key: Vec<u8>,
}

impl Cursor {
    /// The cursor after the item with this key.
    ///
    /// # Errors
    /// 500, when the key cannot be written as JSON.
    pub fn of(key: &impl Serialize) -> Result<Self, Problem> {
        let key = serde_json::to_vec(key).map_err(Problem::internal)?;
        let mut bytes = checksum(&key).to_vec();
        bytes.extend_from_slice(&key);
        Ok(Self { text: URL_SAFE_NO_PAD.encode(bytes), key })
    }

    /// Reads what a client sends.
    ///
    /// # Errors
    /// 400 `request/invalid-cursor`.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bytes = if text.len() <= MAX_CURSOR { URL_SAFE_NO_PAD.decode(text).ok() } else { None };
        match bytes.as_deref().and_then(|bytes| bytes.split_at_checked(CHECKSUM)) {
            Some((sum, key)) if sum == checksum(key) => Ok(Self { text: text.to_owned(), key: key.to_vec() }),
            _ => Err(invalid()),
        }
    }

    /// The key in it.
    ///
    /// # Errors
    /// 400 `request/invalid-cursor`, for a cursor of another list.
    pub fn key<K: DeserializeOwned>(&self) -> Result<K, Problem> {
        serde_json::from_slice(&self.key).map_err(|_| invalid())
    }

    /// What clients see.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

fn invalid() -> Problem {
    Problem::bad_request("request/invalid-cursor", "the cursor is none of ours; leave it out to start again")
}

fn checksum(key: &[u8]) -> [u8; CHECKSUM] {
    let mut sum = [0; CHECKSUM];
    for (to, from) in sum.iter_mut().zip(Sha256::digest(key)) {
        *to = from;
    }
    sum
}

impl Type for Cursor {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "cursor".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl ParseFromJSON for Cursor {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Self::parse(&text).map_err(|problem| ParseError::custom(problem.detail())),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl ToJSON for Cursor {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.text.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_cursor_is_refused_at_every_place() {
        let cursor = Cursor::of(&"0198c0de-0000-7000-8000-000000000001").unwrap();
        for at in 0..cursor.text.len() {
            let mut bytes = cursor.text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            assert_eq!(Cursor::parse(&changed).unwrap_err().code(), "request/invalid-cursor", "{changed}");
        }
        for text in ["", "A", "====", &"A".repeat(MAX_CURSOR + 1)] {
            assert!(Cursor::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let cursor = Cursor::of(&17).unwrap();
        assert_eq!(cursor.key::<String>().unwrap_err().status(), 400);
    }
}
