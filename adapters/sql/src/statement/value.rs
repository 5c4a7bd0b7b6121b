//! The closed set of values that mean the same on every database, and arrays of them for PostgreSQL.

use std::borrow::Cow;

use dolmen_ports::{Timestamp, Uuid};
use serde_json::Value as Json;

/// The kind of a value. A NULL has one too: PostgreSQL types each placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// `bool`.
    Bool,
    /// `i64`, `i32`, `u32` and `u16`.
    Integer,
    /// `f64`.
    Float,
    /// `&str` and `String`.
    Text,
    /// `&[u8]` and `Vec<u8>`.
    Bytes,
    /// `Uuid` and ids.
    Uuid,
    /// `Timestamp`.
    Timestamp,
    /// `serde_json::Value`.
    Json,
}

/// A value on its way to or from the database.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// No value, of a kind.
    Null(Kind),
    /// `integer` 0 or 1 on SQLite, `boolean` on PostgreSQL, `tinyint(1)` on the MySQL family.
    Bool(bool),
    /// `integer` on SQLite; `bigint`, `integer` or `smallint` on PostgreSQL and the MySQL family.
    Integer(i64),
    /// `real` on SQLite, `double precision` on PostgreSQL and the MySQL family.
    Float(f64),
    /// `text`; on the MySQL family also `varchar` and `longtext`, in a table with an exact collation.
    Text(Cow<'a, str>),
    /// `blob` on SQLite, `bytea` on PostgreSQL, `varbinary` or `longblob` on the MySQL family.
    Bytes(Cow<'a, [u8]>),
    /// `blob` of 16 bytes on SQLite, `uuid` on PostgreSQL, `binary(16)` on the MySQL family.
    Uuid(Uuid),
    /// `text` in RFC 3339 with six digits in UTC on SQLite, so that text order is time order; `timestamptz` on PostgreSQL;
    /// `datetime(6)` on the MySQL family, whose `timestamp` ends in 2038.
    Timestamp(Timestamp),
    /// `text` on SQLite, `jsonb` on PostgreSQL, `json` on the MySQL family.
    Json(Cow<'a, Json>),
    /// An array of values of one kind, some of which may be NULL: `unnest` makes rows of it. PostgreSQL only; the others
    /// refuse it.
    Array(Kind, Vec<Self>),
}

impl Value<'_> {
    /// The kind of the value.
    pub fn kind(&self) -> Kind {
        match self {
            // That of its values: arrays are bound, never read.
            Self::Null(kind) | Self::Array(kind, _) => *kind,
            Self::Bool(_) => Kind::Bool,
            Self::Integer(_) => Kind::Integer,
            Self::Float(_) => Kind::Float,
            Self::Text(_) => Kind::Text,
            Self::Bytes(_) => Kind::Bytes,
            Self::Uuid(_) => Kind::Uuid,
            Self::Timestamp(_) => Kind::Timestamp,
            Self::Json(_) => Kind::Json,
        }
    }
}
