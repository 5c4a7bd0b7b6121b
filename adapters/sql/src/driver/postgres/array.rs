//! Arrays as PostgreSQL has them, of values that may be NULL.

use std::borrow::Cow;

use dolmen_ports::{Timestamp, Uuid};
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgHasArrayType, PgRow, PgTypeInfo, types::Oid};
use sqlx::types::Json;
use sqlx::{Arguments as _, Row as _};

use super::time::PgTimestamp;
use crate::statement::{Kind, Mismatch, Value};

const TIMESTAMPTZ_ARRAY: PgTypeInfo = PgTypeInfo::with_oid(Oid(1185));

impl PgHasArrayType for PgTimestamp {
    fn array_type_info() -> PgTypeInfo {
        TIMESTAMPTZ_ARRAY
    }
}

/// Binds values of one kind as one array.
pub(super) fn add(arguments: &mut PgArguments, kind: Kind, values: &[Value<'_>]) -> Result<(), BoxDynError> {
    macro_rules! items {
        ($variant:ident($value:ident) => $item:expr) => {
            values
                .iter()
                .map(|value| match value {
                    Value::$variant($value) => Ok(Some($item)),
                    Value::Null(_) => Ok(None),
                    other => Err(format!("an array of {kind:?} holds {:?}", other.kind())),
                })
                .collect::<Result<Vec<_>, _>>()?
        };
    }
    match kind {
        Kind::Bool => arguments.add(items!(Bool(value) => *value)),
        Kind::Integer => arguments.add(items!(Integer(value) => *value)),
        Kind::Float => arguments.add(items!(Float(value) => *value)),
        Kind::Text => arguments.add(items!(Text(value) => &**value)),
        Kind::Bytes => arguments.add(items!(Bytes(value) => &**value)),
        Kind::Uuid => arguments.add(items!(Uuid(value) => Uuid::clone(value))),
        Kind::Timestamp => arguments.add(items!(Timestamp(value) => PgTimestamp(Timestamp::clone(value)))),
        Kind::Json => arguments.add(items!(Json(value) => Json(&**value))),
    }
}

/// Reads an array of values of one kind. Integers are all `bigint`.
pub(super) fn read(row: &PgRow, index: usize, kind: Kind) -> Result<Vec<Value<'static>>, Mismatch> {
    macro_rules! items {
        ($type:ty, $value:ident => $item:expr) => {{
            let items = row.try_get::<Vec<Option<$type>>, _>(index).map_err(Mismatch::new)?;
            let item = |item: Option<$type>| item.map_or(Value::Null(kind), |$value| $item);
            Ok(items.into_iter().map(item).collect())
        }};
    }
    match kind {
        Kind::Bool => items!(bool, value => Value::Bool(value)),
        Kind::Integer => items!(i64, value => Value::Integer(value)),
        Kind::Float => items!(f64, value => Value::Float(value)),
        Kind::Text => items!(String, value => Value::Text(Cow::Owned(value))),
        Kind::Bytes => items!(Vec<u8>, value => Value::Bytes(Cow::Owned(value))),
        Kind::Uuid => items!(Uuid, value => Value::Uuid(value)),
        Kind::Timestamp => items!(PgTimestamp, value => Value::Timestamp(value.0)),
        Kind::Json => items!(Json<serde_json::Value>, value => Value::Json(Cow::Owned(value.0))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_array_holds_values_of_one_kind_and_null() {
        let mut arguments = PgArguments::default();
        let one = [Value::Integer(1), Value::Null(Kind::Integer)];
        assert!(add(&mut arguments, Kind::Integer, &one).is_ok());
        let mixed = [Value::Integer(1), Value::Bool(true)];
        let refused = add(&mut arguments, Kind::Integer, &mixed).unwrap_err().to_string();
        assert_eq!(refused, "an array of Integer holds Bool");
    }
}
