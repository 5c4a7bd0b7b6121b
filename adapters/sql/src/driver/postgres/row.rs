//! Reading a row of PostgreSQL.

use std::borrow::Cow;

use dolmen_ports::Uuid;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{Decode, Postgres, Row as _, Type, TypeInfo, ValueRef};

use super::items::Items;
use super::time::PgTimestamp;
use crate::statement::{ArrayItems, Cells, Column, Kind, Mismatch, Value};

pub(crate) struct PostgresCells(pub(crate) PgRow);

impl std::fmt::Debug for PostgresCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row of {} columns", self.0.len())
    }
}

impl PostgresCells {
    fn read<'r, T: Decode<'r, Postgres> + Type<Postgres>>(
        &'r self,
        column: Column<'_>,
    ) -> Result<Option<T>, Mismatch> {
        let value = match column {
            Column::Name(name) => self.0.try_get::<Option<T>, _>(name),
            Column::Index(index) => self.0.try_get::<Option<T>, _>(index),
        };
        value.map_err(Mismatch::new)
    }

    /// An integer of any width: a column may be narrower than what is bound to it.
    fn integer(&self, column: Column<'_>) -> Result<Option<i64>, Mismatch> {
        let raw = match column {
            Column::Name(name) => self.0.try_get_raw(name),
            Column::Index(index) => self.0.try_get_raw(index),
        };
        let raw = raw.map_err(Mismatch::new)?;
        match raw.type_info().name() {
            "INT8" | "INT4" | "INT2" => <Option<i64> as Decode<Postgres>>::decode(raw).map_err(Mismatch::new),
            other => {
                Err(Mismatch::new(format!("it is {other}, not an integer; write {{int ..}} around a sum")))
            }
        }
    }
}

impl Cells for PostgresCells {
    fn cell(&self, column: Column<'_>, kind: Kind) -> Result<Value<'_>, Mismatch> {
        let value = match kind {
            Kind::Bool => self.read::<bool>(column)?.map(Value::Bool),
            Kind::Integer => self.integer(column)?.map(Value::Integer),
            Kind::Float => self.read::<f64>(column)?.map(Value::Float),
            Kind::Text => self.read::<&str>(column)?.map(|value| Value::Text(Cow::Borrowed(value))),
            Kind::Bytes => self.read::<&[u8]>(column)?.map(|value| Value::Bytes(Cow::Borrowed(value))),
            Kind::Uuid => self.read::<Uuid>(column)?.map(Value::Uuid),
            Kind::Timestamp => self.read::<PgTimestamp>(column)?.map(|value| Value::Timestamp(value.0)),
            Kind::Json => {
                self.read::<Json<serde_json::Value>>(column)?.map(|value| Value::Json(Cow::Owned(value.0)))
            }
        };
        Ok(value.unwrap_or(Value::Null(kind)))
    }

    fn array(&self, index: usize, kind: Kind) -> Result<ArrayItems<'_>, Mismatch> {
        Ok(Box::new(Items::of(&self.0, index, kind)?))
    }
}
