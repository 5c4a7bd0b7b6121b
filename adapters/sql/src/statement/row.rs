//! Rows, and what can be made of them.

use std::fmt;

use dolmen_ports::{ErrorKind, PortError, PortResult};

use super::cell::{Cell, Mismatch};
use super::value::{Kind, Value};

/// Where a cell stands in its row.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Column<'a> {
    Name(&'a str),
    Index(usize),
}

impl fmt::Display for Column<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Index(index) => write!(f, "number {}", index + 1),
        }
    }
}

/// The items of an array, which ends with the first one that cannot be read.
pub(crate) type ArrayItems<'r> = Box<dyn Iterator<Item = Result<Value<'r>, Mismatch>> + 'r>;

/// A driver's row: reads a cell as a kind, and never takes NULL for anything else.
pub(crate) trait Cells: fmt::Debug + Send + Sync {
    fn cell(&self, column: Column<'_>, kind: Kind) -> Result<Value<'_>, Mismatch>;

    /// An array of values of one kind, at a place from zero: PostgreSQL only.
    fn array(&self, _index: usize, _kind: Kind) -> Result<ArrayItems<'_>, Mismatch> {
        Err(Mismatch::new("this database has no arrays"))
    }
}

/// One row of a result.
#[derive(Debug)]
pub struct Row(Box<dyn Cells>);

impl Row {
    pub(crate) fn new(cells: impl Cells + 'static) -> Self {
        Self(Box::new(cells))
    }

    /// The value of a column.
    ///
    /// # Errors
    /// `Internal`, naming the column: it is not in the result, it is NULL, or it does not fit the type.
    pub fn get<T: Cell>(&self, column: &str) -> PortResult<T> {
        self.read(Column::Name(column))
    }

    /// The value of the column at a place, from zero: looking for names takes its time where rows are many.
    pub(crate) fn at<T: Cell>(&self, index: usize) -> PortResult<T> {
        self.read(Column::Index(index))
    }

    /// The values of the array in the column at a place, from zero.
    pub(crate) fn array<T: Cell>(
        &self,
        index: usize,
    ) -> PortResult<impl Iterator<Item = PortResult<T>> + '_> {
        let unreadable = move |mismatch| unreadable(Column::Index(index), mismatch);
        let items = self.0.array(index, T::KIND).map_err(unreadable)?;
        Ok(items.map(move |item| item.and_then(T::from_value).map_err(unreadable)))
    }

    fn read<T: Cell>(&self, column: Column<'_>) -> PortResult<T> {
        self.0.cell(column, T::KIND).and_then(T::from_value).map_err(|mismatch| unreadable(column, mismatch))
    }
}

fn unreadable(column: Column<'_>, mismatch: Mismatch) -> PortError {
    PortError::new(ErrorKind::Internal, "database", "read a row")
        .with_detail(format!("column {column}"))
        .with_source(mismatch)
}

/// Something that a row can be turned into. Given for tuples of up to eight columns, in the order of the result.
///
/// # Examples
/// ```
/// use dolmen_ports::{PortResult, Timestamp, Uuid};
/// use dolmen_sql::{FromRow, Row};
/// struct Note { id: Uuid, text: String, done_at: Option<Timestamp> }
/// impl FromRow for Note {
///     fn from_row(row: &Row) -> PortResult<Self> {
///         Ok(Self { id: row.get("id")?, text: row.get("text")?, done_at: row.get("done_at")? })
///     }
/// }
/// ```
pub trait FromRow: Sized {
    /// Reads one row.
    fn from_row(row: &Row) -> PortResult<Self>;
}

macro_rules! tuples {
    ($(($($cell:ident $index:literal),+);)*) => {$(
        impl<$($cell: Cell),+> FromRow for ($($cell,)+) {
            fn from_row(row: &Row) -> PortResult<Self> {
                Ok(($(row.read::<$cell>(Column::Index($index))?,)+))
            }
        }
    )*};
}

tuples! {
    (A 0);
    (A 0, B 1);
    (A 0, B 1, C 2);
    (A 0, B 1, C 2, D 3);
    (A 0, B 1, C 2, D 3, E 4);
    (A 0, B 1, C 2, D 3, E 4, F 5);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6);
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7);
}
