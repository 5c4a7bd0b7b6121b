//! Ids in paths, queries and bodies.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use dolmen_ports::ParseIdError;
use poem::http::HeaderValue;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{
    ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToHeader, ToJSON, Type,
};
use serde_json::Value;

/// An id made by `define_id!`, wherever HTTP has one: `Path<Id<InvoiceId>>`, `Query<Option<Id<CustomerId>>>`, or a field of
/// an `Object`. Documented as a UUID.
///
/// # Errors
/// Nonsense in a path is 400 `request/invalid-id`; in a query or a body it is 422 with a pointer.
///
/// # Examples
/// ```
/// use dolmen_poem::Id;
/// use poem_openapi::Object;
///
/// dolmen::define_id! {
///     /// Identifies a customer.
///     pub struct CustomerId;
/// }
///
/// #[derive(Object)]
/// struct Customer { id: Id<CustomerId>, name: String }
///
/// let id: CustomerId = "0198c0de-0000-7000-8000-000000000001".parse().unwrap();
/// let customer = Customer { id: id.into(), name: "Ada".to_owned() };
/// assert_eq!(customer.id.0, id);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a newtype over the id")]
pub struct Id<T>(pub T);

impl<T> From<T> for Id<T> {
    fn from(id: T) -> Self {
        Self(id)
    }
}

impl<T: fmt::Display> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Send + Sync> Type for Id<T> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "id".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "uuid")))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(std::iter::once(self))
    }
}

impl<T: FromStr<Err = ParseIdError> + Send + Sync> ParseFromParameter for Id<T> {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        value.parse().map(Self).map_err(ParseError::custom)
    }
}

impl<T: FromStr<Err = ParseIdError> + Send + Sync> ParseFromJSON for Id<T> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::String(text) => Self::parse_from_parameter(&text),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl<T: fmt::Display + Send + Sync> ToJSON for Id<T> {
    fn to_json(&self) -> Option<Value> {
        Some(Value::String(self.0.to_string()))
    }
}

impl<T: fmt::Display + Send + Sync> ToHeader for Id<T> {
    fn to_header(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0.to_string()).ok()
    }
}
