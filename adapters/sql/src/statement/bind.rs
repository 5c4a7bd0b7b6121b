//! Values that a statement can bind.

use std::borrow::Cow;

use dolmen_ports::{ClaimId, JobId, TenantId, Timestamp, UserId, Uuid, WorkerId};
use serde_json::Value as Json;

use super::value::{Kind, Value};

/// A value that can stand for a `?`.
///
/// Given for `bool`, `i64`, `i32`, `u32`, `u16`, `f64`, text, bytes, [`Uuid`], [`Timestamp`], JSON, and `Option` of each,
/// by value and by reference; for ids with [`bind_ids!`](crate::bind_ids). There is no `u64`: no database has one.
///
/// # Examples
/// A type of a module's own, stored as text:
/// ```
/// use dolmen_sql::{Bind, Kind, Value};
/// enum Status { Draft, Issued }
/// impl<'a> Bind<'a> for &Status {
///     const KIND: Kind = Kind::Text;
///     fn into_value(self) -> Value<'a> {
///         match self { Status::Draft => "draft", Status::Issued => "issued" }.into_value()
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a statement cannot bind `{Self}`",
    note = "it binds bool, i64, i32, u32, u16, f64, text, bytes, Uuid, Timestamp, JSON, and Option of these",
    note = "for ids made by define_id!, write `dolmen_sql::bind_ids!(MyId);` once in their crate"
)]
pub trait Bind<'a> {
    /// The kind that a NULL of this type has.
    const KIND: Kind;
    /// The value to bind.
    fn into_value(self) -> Value<'a>;
}

impl<'a> Bind<'a> for Value<'a> {
    // Never asked for: a Value knows its own kind, and an Option of one is not bindable.
    const KIND: Kind = Kind::Text;

    fn into_value(self) -> Value<'a> {
        self
    }
}

macro_rules! bind {
    ($($kind:ident: $type:ty, $value:ident => $into:expr;)*) => {$(
        impl<'a> Bind<'a> for $type {
            const KIND: Kind = Kind::$kind;
            fn into_value(self) -> Value<'a> {
                let $value = self;
                Value::$kind($into)
            }
        }
    )*};
}

bind! {
    Bool: bool, value => value;
    Bool: &bool, value => *value;
    Integer: i64, value => value;
    Integer: &i64, value => *value;
    Integer: i32, value => i64::from(value);
    Integer: &i32, value => i64::from(*value);
    Integer: u32, value => i64::from(value);
    Integer: &u32, value => i64::from(*value);
    Integer: u16, value => i64::from(value);
    Integer: &u16, value => i64::from(*value);
    Float: f64, value => value;
    Float: &f64, value => *value;
    Text: &'a str, value => Cow::Borrowed(value);
    Text: &'a String, value => Cow::Borrowed(value);
    Text: String, value => Cow::Owned(value);
    Text: Cow<'a, str>, value => value;
    Bytes: &'a [u8], value => Cow::Borrowed(value);
    Bytes: &'a Vec<u8>, value => Cow::Borrowed(value);
    Bytes: Vec<u8>, value => Cow::Owned(value);
    Uuid: Uuid, value => value;
    Uuid: &Uuid, value => *value;
    Timestamp: Timestamp, value => value;
    Timestamp: &Timestamp, value => *value;
    Json: &'a Json, value => Cow::Borrowed(value);
    Json: Json, value => Cow::Owned(value);
}

impl<'a, const N: usize> Bind<'a> for &'a [u8; N] {
    const KIND: Kind = Kind::Bytes;

    fn into_value(self) -> Value<'a> {
        Value::Bytes(Cow::Borrowed(self))
    }
}

impl<'a, T: Bind<'a>> Bind<'a> for Option<T> {
    const KIND: Kind = T::KIND;

    fn into_value(self) -> Value<'a> {
        self.map_or(Value::Null(T::KIND), T::into_value)
    }
}

impl<'a, T> Bind<'a> for &'a Option<T>
where
    &'a T: Bind<'a>,
{
    const KIND: Kind = <&'a T as Bind<'a>>::KIND;

    fn into_value(self) -> Value<'a> {
        self.as_ref().into_value()
    }
}

/// Makes ids bindable and readable; once per id, in the crate that defines it.
///
/// # Examples
/// ```
/// dolmen_ports::define_id! {
///     /// Identifies an item.
///     pub struct ItemId;
/// }
/// dolmen_sql::bind_ids!(ItemId);
/// ```
#[macro_export]
macro_rules! bind_ids {
    ($($id:ty),+ $(,)?) => {$(
        impl<'a> $crate::Bind<'a> for $id {
            const KIND: $crate::Kind = $crate::Kind::Uuid;
            fn into_value(self) -> $crate::Value<'a> {
                $crate::Value::Uuid(self.as_uuid())
            }
        }
        impl<'a> $crate::Bind<'a> for &$id {
            const KIND: $crate::Kind = $crate::Kind::Uuid;
            fn into_value(self) -> $crate::Value<'a> {
                $crate::Value::Uuid(self.as_uuid())
            }
        }
        impl $crate::Cell for $id {
            const KIND: $crate::Kind = $crate::Kind::Uuid;
            fn from_value(value: $crate::Value<'_>) -> ::core::result::Result<Self, $crate::Mismatch> {
                $crate::Cell::from_value(value).map(Self::new)
            }
        }
    )+};
}

bind_ids!(TenantId, UserId, ClaimId, JobId, WorkerId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_null_has_the_kind_of_its_type() {
        assert_eq!(None::<i64>.into_value(), Value::Null(Kind::Integer));
        assert_eq!(None::<&str>.into_value(), Value::Null(Kind::Text));
        assert_eq!((&None::<Uuid>).into_value(), Value::Null(Kind::Uuid));
        assert_eq!(None::<TenantId>.into_value(), Value::Null(Kind::Uuid));
    }
}
