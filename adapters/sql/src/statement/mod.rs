//! Statements: SQL written once, as literals that the compiler checks.
//!
//! [`sql!`](crate::sql) takes a literal and its values. `?` stands for a value on every database. What dialects write
//! differently is a fragment in braces:
//!
//! | fragment | means |
//! |---|---|
//! | `{for_update}`, `{skip_locked}` | lock the rows that are read; leave locked rows out |
//! | `{on_conflict k} a = {new a}` | when the key `k` is there, update instead of insert |
//! | `{ignore_conflict k}` | when the key `k` is there, insert nothing |
//! | `{rows}` | the rows of [`Statement::bind_rows`], after `values` |
//! | `{list}` | the items of [`Statement::bind_list`], as in `id in ({list})` |
//! | `{int e}` | `e` as an integer: sums and quotients have other types otherwise |
//! | `{now}` | the database's time when the statement began |
//! | `{now_plus ?}` | that time and a number of microseconds |
//!
//! On the MySQL family, whose statements have no place for `k`, a conflict of *any* unique key counts; and `set a = b, b = a`
//! is done from left to right there, so do not read a column after it was set.
//!
//! An error of a statement ends its transaction on every database: the transaction can only be rolled back. So a
//! conflict that is expected is not caught, but avoided with `{ignore_conflict k}`.

mod bind;
mod cell;
mod check;
mod fragment;
mod refusal;
mod row;
mod scan;
mod template;
mod value;

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

pub use bind::Bind;
pub use cell::{Cell, Mismatch};
#[cfg(feature = "statements-test")]
pub(crate) use check::check;
use dolmen_ports::{ErrorKind, PortError, PortResult, ReadTx, WriteTx};
pub(crate) use fragment::Fragment;
#[cfg(feature = "mysql")]
pub(crate) use fragment::IGNORED;
#[cfg(feature = "postgres")]
pub(crate) use row::ArrayItems;
pub(crate) use row::{Cells, Column};
pub use row::{FromRow, Row};
pub(crate) use template::Bulk;
pub use template::Template;
#[cfg(feature = "statements-test")]
pub(crate) use template::render;
pub use value::{Kind, Value};

use crate::database::SqlTx;
use crate::error::of_module;

/// The largest number of rows that go out in one statement; more are sent in several.
const MAX_ROWS: usize = 128;
/// The largest number of items of `{list}`.
const MAX_LIST: usize = 16_384;

/// A checked statement with its values. Made by [`sql!`](crate::sql).
#[derive(Debug)]
#[must_use = "a statement does nothing until it is executed or fetched"]
pub struct Statement<'a> {
    template: &'static Template,
    values: Vec<Value<'a>>,
    bulk: Items<'a>,
}

#[derive(Debug)]
enum Items<'a> {
    None,
    Rows { width: usize, values: Vec<Value<'a>> },
    List(Vec<Value<'a>>),
}

impl<'a> Statement<'a> {
    #[doc(hidden)]
    pub fn new(template: &'static Template, values: Vec<Value<'a>>) -> Self {
        Self { template, values, bulk: Items::None }
    }

    /// Binds the rows of `{rows}`, made with [`row!`](crate::row). No rows: nothing is sent.
    pub fn bind_rows<const N: usize>(mut self, rows: impl IntoIterator<Item = [Value<'a>; N]>) -> Self {
        self.bulk = Items::Rows { width: N, values: rows.into_iter().flatten().collect() };
        self
    }

    /// Binds the items of `{list}`. No items: the list holds for no row.
    pub fn bind_list<T: Bind<'a>>(mut self, items: impl IntoIterator<Item = T>) -> Self {
        self.bulk = Items::List(items.into_iter().map(T::into_value).collect());
        self
    }

    /// Runs a change; returns how many rows it matched, which means the same on every database.
    ///
    /// # Errors
    /// `AlreadyExists` when a unique key is there, `Conflict` when a foreign key is missing or still used, `InvalidInput`
    /// when a value breaks a rule of its column, `Contention`, `Timeout`, `Unavailable`.
    ///
    /// # Cancel safety
    /// Dropping the future makes the transaction unusable: it can only be rolled back.
    pub async fn execute(self, tx: &mut WriteTx) -> PortResult<u64> {
        let module = tx.module();
        self.execute_in(tx.driver_mut()?).await.map_err(|error| of_module(error, module))
    }

    /// Reads exactly one row: the first one.
    ///
    /// # Errors
    /// `NotFound` when there is none; otherwise as [`Statement::execute`].
    pub async fn fetch_one<T: FromRow>(self, tx: &mut ReadTx) -> PortResult<T> {
        let first = self.fetch_optional(tx).await?;
        first.ok_or_else(|| PortError::new(ErrorKind::NotFound, "database", "fetch a row"))
    }

    /// Reads the first row, if there is one.
    ///
    /// # Errors
    /// As [`Statement::execute`].
    pub async fn fetch_optional<T: FromRow>(self, tx: &mut ReadTx) -> PortResult<Option<T>> {
        self.fetch(tx).await?.first().map(T::from_row).transpose()
    }

    /// Reads all rows.
    ///
    /// # Errors
    /// As [`Statement::execute`].
    pub async fn fetch_all<T: FromRow>(self, tx: &mut ReadTx) -> PortResult<Vec<T>> {
        self.fetch(tx).await?.iter().map(T::from_row).collect()
    }

    async fn fetch(self, tx: &mut ReadTx) -> PortResult<Vec<Row>> {
        let module = tx.module();
        self.fetch_in(tx.driver_mut()?).await.map_err(|error| of_module(error, module))
    }

    // Boxed and not generic, so that the driver's code is compiled here once and not in every module.
    pub(crate) fn execute_in<'t>(
        self,
        tx: &'t mut SqlTx,
    ) -> Pin<Box<dyn Future<Output = PortResult<u64>> + Send + 't>>
    where
        'a: 't,
    {
        Box::pin(async move {
            let mut matched = 0;
            for (bulk, values) in self.batches()? {
                let sql = tx.render(self.template, bulk);
                let affected = tx.execute(sql, &values).await?;
                matched += matched_by(sql, bulk, affected);
            }
            Ok(matched)
        })
    }

    pub(crate) fn fetch_in<'t>(
        self,
        tx: &'t mut SqlTx,
    ) -> Pin<Box<dyn Future<Output = PortResult<Vec<Row>>> + Send + 't>>
    where
        'a: 't,
    {
        Box::pin(async move {
            let mut rows = Vec::new();
            for (bulk, values) in self.batches()? {
                let sql = tx.render(self.template, bulk);
                rows.append(&mut tx.fetch(sql, &values).await?);
            }
            Ok(rows)
        })
    }

    /// What is sent: one statement, or several for many rows, each with all its values in the order of the text.
    fn batches(&self) -> PortResult<Vec<(Bulk, Cow<'_, [Value<'a>]>)>> {
        match (self.template.bulk(), &self.bulk) {
            (None, Items::None) => Ok(vec![(Bulk::None, Cow::Borrowed(&self.values))]),
            (Some((Fragment::Rows, at)), Items::Rows { width, values }) => {
                Ok(self.row_batches(at, *width, values))
            }
            (Some((Fragment::List, at)), Items::List(items)) => self.list_batch(at, items),
            _ => Err(invalid(
                "{rows} needs bind_rows, {list} needs bind_list, and neither goes without its fragment",
            )),
        }
    }

    /// Batches of 128, 64, .. 1 rows: few texts for a driver's statement cache, whatever the number of rows.
    fn row_batches(
        &self,
        at: usize,
        width: usize,
        values: &[Value<'a>],
    ) -> Vec<(Bulk, Cow<'_, [Value<'a>]>)> {
        let mut batches = Vec::new();
        let mut rest = values;
        while width > 0 && !rest.is_empty() {
            let left = rest.len() / width;
            let rows = MAX_ROWS.min(1 << left.ilog2());
            let (batch, after) = rest.split_at(rows * width);
            batches.push((Bulk::Rows { rows, width }, Cow::Owned(self.around(at, batch, 0))));
            rest = after;
        }
        batches
    }

    /// One list, padded with its last item to a power of two.
    fn list_batch(&self, at: usize, items: &[Value<'a>]) -> PortResult<Vec<(Bulk, Cow<'_, [Value<'a>]>)>> {
        if items.len() > MAX_LIST {
            return Err(invalid("a {list} holds at most 16384 items; fetch in several calls"));
        }
        let padded = if items.is_empty() { 0 } else { items.len().next_power_of_two() };
        Ok(vec![(Bulk::List(padded), Cow::Owned(self.around(at, items, padded - items.len())))])
    }

    fn around(&self, at: usize, bulk: &[Value<'a>], padding: usize) -> Vec<Value<'a>> {
        let (before, after) = self.values.split_at(at.min(self.values.len()));
        let padding = bulk.last().into_iter().flat_map(|last| std::iter::repeat_n(last, padding));
        before.iter().chain(bulk).chain(padding).chain(after).cloned().collect()
    }
}

/// How many rows a statement matched. The MySQL family counts an insert that became an update as two rows.
fn matched_by(sql: &str, bulk: Bulk, affected: u64) -> u64 {
    let rows = match bulk {
        _ if affected < 2 || !sql.contains(fragment::UPSERT) => return affected,
        Bulk::Rows { rows, .. } => rows,
        Bulk::None | Bulk::List(_) => 1,
    };
    affected.min(u64::try_from(rows).unwrap_or(u64::MAX))
}

fn invalid(detail: &str) -> PortError {
    PortError::new(ErrorKind::InvalidInput, "database", "build a statement").with_detail(detail)
}

/// A statement: a literal with `?` for each value, checked when it is compiled. See [`statement`](crate::statement).
///
/// The compiler refuses a wrong number of values, quoted names, `;`, `$1`, comments, and tables that do not start with
/// `<crate name>_` after `from`, `join`, `into` and `update`.
///
/// # Examples
/// ```
/// use dolmen_ports::{PortResult, Uuid, WriteTx};
/// use dolmen_sql::sql;
/// async fn rename(tx: &mut WriteTx, id: Uuid, name: &str) -> PortResult<u64> {
///     sql!("update dolmen_sql_item set name = ? where id = ?", name, id).execute(tx).await
/// }
/// ```
#[macro_export]
macro_rules! sql {
    ($text:literal $(, $value:expr)* $(,)?) => {
        $crate::statement!(::core::env!("CARGO_PKG_NAME"), $text $(, $value)*)
    };
}

/// The statement of [`sql!`](crate::sql), for a package.
#[doc(hidden)]
#[macro_export]
macro_rules! statement {
    ($package:expr, $text:literal $(, $value:expr)*) => {
        $crate::Statement::new(
            {
                static TEMPLATE: $crate::Template = $crate::Template::checked(
                    $text,
                    0 $(+ { let _ = ::core::stringify!($value); 1 })*,
                    $package,
                );
                &TEMPLATE
            },
            ::std::vec![$($crate::Bind::into_value($value)),*],
        )
    };
}

/// One row for [`Statement::bind_rows`]. References in it live as long as the statement.
#[macro_export]
macro_rules! row {
    ($($value:expr),+ $(,)?) => {
        [$($crate::Bind::into_value($value)),+]
    };
}

/// A statement over the framework's own tables.
macro_rules! framework_sql {
    ($text:literal $(, $value:expr)* $(,)?) => {
        $crate::statement!("dolmen", $text $(, $value)*)
    };
}
pub(crate) use framework_sql;

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(rows: usize) -> Vec<Bulk> {
        let statement = framework_sql!("insert into dolmen_x (a, b) values {rows}")
            .bind_rows((0..rows).map(|_| row![1_i64, "x"]));
        let batches = statement.batches().unwrap();
        for (bulk, values) in &batches {
            assert!(matches!(bulk, Bulk::Rows { rows, width } if values.len() == rows * width), "{bulk:?}");
        }
        batches.into_iter().map(|(bulk, _)| bulk).collect()
    }

    #[test]
    fn rows_go_out_in_powers_of_two() {
        let rows = |rows| Bulk::Rows { rows, width: 2 };
        assert_eq!(sizes(0), []);
        assert_eq!(sizes(1), [rows(1)]);
        assert_eq!(sizes(300), [rows(128), rows(128), rows(32), rows(8), rows(4)]);
    }

    #[test]
    fn a_list_stands_between_the_values_around_it_and_is_padded() {
        let statement =
            framework_sql!("select a from dolmen_x where a = ? and b in ({list}) and c = ?", 1_i64, 2_i64)
                .bind_list([7_i64, 8, 9]);
        let batches = statement.batches().unwrap();
        let expected: Vec<_> = [1, 7, 8, 9, 9, 2].map(Value::Integer).into();
        assert_eq!(batches, [(Bulk::List(4), Cow::Owned(expected))]);
    }

    #[test]
    fn a_bulk_without_its_values_is_refused() {
        assert!(framework_sql!("insert into dolmen_x (a) values {rows}").batches().is_err());
        assert!(framework_sql!("select a from dolmen_x").bind_list([1_i64]).batches().is_err());
        let long =
            framework_sql!("select a from dolmen_x where a in ({list})").bind_list(vec![1_i64; 16_385]);
        assert!(long.batches().is_err());
    }
}
