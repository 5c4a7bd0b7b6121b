//! Reading a row of the MySQL family.

use std::borrow::Cow;

use dolmen_ports::Uuid;
use sqlx::mysql::{MySqlRow, MySqlValueRef};
use sqlx::types::Json;
use sqlx::{Decode, MySql, Row as _, Type, TypeInfo, ValueRef};

use super::time;
use crate::statement::{Cells, Column, Kind, Mismatch, Value};

pub(crate) struct MySqlCells(pub(crate) MySqlRow);

impl std::fmt::Debug for MySqlCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row of {} columns", self.0.len())
    }
}

impl MySqlCells {
    fn read<'r, T: Decode<'r, MySql> + Type<MySql>>(
        &'r self,
        column: Column<'_>,
    ) -> Result<Option<T>, Mismatch> {
        let value = match column {
            Column::Name(name) => self.0.try_get::<Option<T>, _>(name),
            Column::Index(index) => self.0.try_get::<Option<T>, _>(index),
        };
        value.map_err(Mismatch::new)
    }

    /// A value as it came, unless it is NULL, and the name of its type.
    fn raw(&self, column: Column<'_>) -> Result<Option<(MySqlValueRef<'_>, String)>, Mismatch> {
        let raw = match column {
            Column::Name(name) => self.0.try_get_raw(name),
            Column::Index(index) => self.0.try_get_raw(index),
        };
        let raw = raw.map_err(Mismatch::new)?;
        let name = raw.type_info().name().to_owned();
        Ok((!raw.is_null()).then_some((raw, name)))
    }

    /// An integer of any width: a column may be narrower than what is bound to it.
    fn integer(&self, column: Column<'_>) -> Result<Option<i64>, Mismatch> {
        let Some((raw, name)) = self.raw(column)? else { return Ok(None) };
        let value = match &*name {
            "BIGINT" | "INT" | "MEDIUMINT" | "SMALLINT" | "TINYINT" | "BOOLEAN" => {
                <i64 as Decode<MySql>>::decode(raw)
            }
            "BIGINT UNSIGNED" | "INT UNSIGNED" | "MEDIUMINT UNSIGNED" | "SMALLINT UNSIGNED"
            | "TINYINT UNSIGNED" => {
                let value = <u64 as Decode<MySql>>::decode(raw).map_err(Mismatch::new)?;
                i64::try_from(value).map_err(Into::into)
            }
            other => {
                return Err(Mismatch::new(format!(
                    "it is {other}, not an integer; write {{int ..}} around a sum or a quotient"
                )));
            }
        };
        value.map(Some).map_err(Mismatch::new)
    }

    fn timestamp(&self, column: Column<'_>) -> Result<Option<dolmen_ports::Timestamp>, Mismatch> {
        let Some((raw, name)) = self.raw(column)? else { return Ok(None) };
        let at = match &*name {
            "DATETIME" | "TIMESTAMP" => <&[u8] as Decode<MySql>>::decode(raw).and_then(time::from_binary),
            "VARCHAR" | "CHAR" => <&str as Decode<MySql>>::decode(raw).and_then(time::from_text),
            other => return Err(Mismatch::new(format!("it is {other}, not datetime(6)"))),
        };
        at.map(Some).map_err(Mismatch::new)
    }
}

impl Cells for MySqlCells {
    fn cell(&self, column: Column<'_>, kind: Kind) -> Result<Value<'_>, Mismatch> {
        let value = match kind {
            Kind::Bool => self.integer(column)?.map(|value| Value::Bool(value != 0)),
            Kind::Integer => self.integer(column)?.map(Value::Integer),
            Kind::Float => self.read::<f64>(column)?.map(Value::Float),
            Kind::Text => self.read::<&str>(column)?.map(|value| Value::Text(Cow::Borrowed(value))),
            Kind::Bytes => self.read::<&[u8]>(column)?.map(|value| Value::Bytes(Cow::Borrowed(value))),
            Kind::Uuid => self.read::<Uuid>(column)?.map(Value::Uuid),
            Kind::Timestamp => self.timestamp(column)?.map(Value::Timestamp),
            Kind::Json => {
                self.read::<Json<serde_json::Value>>(column)?.map(|value| Value::Json(Cow::Owned(value.0)))
            }
        };
        Ok(value.unwrap_or(Value::Null(kind)))
    }
}
