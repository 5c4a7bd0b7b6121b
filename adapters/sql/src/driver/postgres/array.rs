//! Binding of arrays as PostgreSQL has them, of values that may be NULL.

use dolmen_ports::{Timestamp, Uuid};
use sqlx::Arguments as _;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArguments, PgHasArrayType, PgTypeInfo, types::Oid};
use sqlx::types::Json;

use super::time::PgTimestamp;
use crate::statement::{Kind, Value};

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
