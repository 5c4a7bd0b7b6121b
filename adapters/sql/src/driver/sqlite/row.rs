//! Reading a row of SQLite, whose driver would take NULL for 0, false or an empty text.

use std::borrow::Cow;

use dolmen_ports::Uuid;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Sqlite, Type};

use crate::statement::{Cells, Column, Kind, Mismatch, Value};

pub(crate) struct SqliteCells(pub(crate) SqliteRow);

impl std::fmt::Debug for SqliteCells {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "row of {} columns", self.0.len())
    }
}

impl SqliteCells {
    fn read<'r, T: Decode<'r, Sqlite> + Type<Sqlite>>(
        &'r self,
        column: Column<'_>,
    ) -> Result<Option<T>, Mismatch> {
        let value = match column {
            Column::Name(name) => self.0.try_get::<Option<T>, _>(name),
            Column::Index(index) => self.0.try_get::<Option<T>, _>(index),
        };
        value.map_err(Mismatch::new)
    }
}

impl Cells for SqliteCells {
    fn cell(&self, column: Column<'_>, kind: Kind) -> Result<Value<'_>, Mismatch> {
        let value = match kind {
            Kind::Bool => self.read::<i64>(column)?.map(|value| Value::Bool(value != 0)),
            Kind::Integer => self.read::<i64>(column)?.map(Value::Integer),
            Kind::Float => self.read::<f64>(column)?.map(Value::Float),
            Kind::Text => self.read::<&str>(column)?.map(|value| Value::Text(Cow::Borrowed(value))),
            Kind::Bytes => self.read::<&[u8]>(column)?.map(|value| Value::Bytes(Cow::Borrowed(value))),
            Kind::Uuid => self.read::<Uuid>(column)?.map(Value::Uuid),
            Kind::Timestamp => {
                let text = self.read::<&str>(column)?;
                text.map(|text| text.parse().map(Value::Timestamp).map_err(Mismatch::new)).transpose()?
            }
            Kind::Json => {
                let text = self.read::<&str>(column)?;
                let json = text.map(serde_json::from_str).transpose().map_err(Mismatch::new)?;
                json.map(|json| Value::Json(Cow::Owned(json)))
            }
        };
        Ok(value.unwrap_or(Value::Null(kind)))
    }
}
