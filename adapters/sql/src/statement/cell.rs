//! Values that can be read from a column.

use std::error::Error as StdError;
use std::fmt;

use dolmen_ports::{BoxError, QueueName, Timestamp, Uuid};
use serde_json::Value as Json;

use super::value::{Kind, Value};

/// Why a value does not fit the type it is read into. The column's name is added where it is known.
#[derive(Debug)]
pub struct Mismatch(BoxError);

impl Mismatch {
    /// A value that does not fit, and why in words.
    pub fn new(reason: impl Into<BoxError>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl StdError for Mismatch {}

/// A type that a column can be read into. The counterpart of [`Bind`](crate::Bind).
///
/// # Examples
/// A type of a module's own, stored as text:
/// ```
/// use dolmen_sql::{Cell, Kind, Mismatch, Value};
/// #[derive(Debug, PartialEq)]
/// enum Status { Draft, Issued }
/// impl Cell for Status {
///     const KIND: Kind = Kind::Text;
///     fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
///         match &*String::from_value(value)? {
///             "draft" => Ok(Self::Draft),
///             "issued" => Ok(Self::Issued),
///             other => Err(Mismatch::new(format!("unknown status {other:?}"))),
///         }
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a column cannot be read into `{Self}`",
    note = "it can be read into bool, i64, i32, u32, u16, f64, String, Vec<u8>, Uuid, Timestamp, JSON, and Option of these",
    note = "for ids made by define_id!, write `dolmen_sql::bind_ids!(MyId);` once in their crate"
)]
pub trait Cell: Sized {
    /// The kind that the column has to have.
    const KIND: Kind;
    /// Reads the value.
    ///
    /// # Errors
    /// When the value is NULL or does not fit.
    fn from_value(value: Value<'_>) -> Result<Self, Mismatch>;
}

fn wanted<T>(kind: Kind, found: &Value<'_>) -> Result<T, Mismatch> {
    Err(Mismatch::new(match found {
        Value::Null(_) => "it is NULL; read it into an Option".to_owned(),
        found => format!("it is {:?}, not {kind:?}", found.kind()),
    }))
}

macro_rules! cell {
    ($($kind:ident: $type:ty, $value:ident => $from:expr;)*) => {$(
        impl Cell for $type {
            const KIND: Kind = Kind::$kind;
            fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
                match value {
                    Value::$kind($value) => $from,
                    other => wanted(Kind::$kind, &other),
                }
            }
        }
    )*};
}

fn narrow<T: TryFrom<i64>>(value: i64) -> Result<T, Mismatch> {
    T::try_from(value)
        .map_err(|_| Mismatch::new(format!("{value} does not fit {}", std::any::type_name::<T>())))
}

cell! {
    Bool: bool, value => Ok(value);
    Integer: i64, value => Ok(value);
    Integer: i32, value => narrow(value);
    Integer: u32, value => narrow(value);
    Integer: u16, value => narrow(value);
    Float: f64, value => Ok(value);
    Text: String, value => Ok(value.into_owned());
    Bytes: Vec<u8>, value => Ok(value.into_owned());
    Uuid: Uuid, value => Ok(value);
    Timestamp: Timestamp, value => Ok(value);
    Json: Json, value => Ok(value.into_owned());
    Text: QueueName, value => Self::parse(&value).map_err(Mismatch::new);
}

impl<const N: usize> Cell for [u8; N] {
    const KIND: Kind = Kind::Bytes;

    fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
        let bytes = Vec::<u8>::from_value(value)?;
        let length = bytes.len();
        Self::try_from(bytes).map_err(|_| Mismatch::new(format!("it has {length} bytes, not {N}")))
    }
}

impl<T: Cell> Cell for Option<T> {
    const KIND: Kind = T::KIND;

    fn from_value(value: Value<'_>) -> Result<Self, Mismatch> {
        match value {
            Value::Null(_) => Ok(None),
            value => T::from_value(value).map(Some),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_never_zero_or_empty() {
        assert!(i64::from_value(Value::Null(Kind::Integer)).unwrap_err().to_string().contains("NULL"));
        assert!(String::from_value(Value::Null(Kind::Text)).is_err());
        assert_eq!(Option::<bool>::from_value(Value::Null(Kind::Bool)).unwrap(), None);
    }

    #[test]
    fn a_number_that_does_not_fit_is_refused() {
        assert!(u16::from_value(Value::Integer(70_000)).unwrap_err().to_string().contains("70000"));
        assert!(u32::from_value(Value::Integer(-1)).is_err());
        assert_eq!(i32::from_value(Value::Integer(-1)).unwrap(), -1);
    }
}
