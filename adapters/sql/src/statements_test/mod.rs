//! For the tests of modules (feature `statements-test`): every statement of a crate parses in every dialect, and touches
//! only the crate's own tables.
//!
//! The compiler checks what stands after four keywords. This reads the sources, parses each literal of `sql!` as each
//! database would read it, and lists all tables, wherever they stand.
//!
//! # Examples
//! ```no_run
//! // In a module's tests, as `#[test] fn statements_parse_everywhere_and_touch_only_own_tables()`:
//! let found = dolmen_sql::check_statements!().unwrap();
//! assert!(found.statements > 0);
//! ```

mod literals;

use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;
use std::path::Path;

use dolmen_ports::Dialect;
use sqlparser::ast::visit_relations;
use sqlparser::dialect::{MySqlDialect, PostgreSqlDialect, SQLiteDialect};
use sqlparser::parser::Parser;

use self::literals::Literal;
use crate::statement::{Bulk, check, render};

/// What was found in the sources of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// How many statements.
    pub statements: usize,
    /// The tables that they touch.
    pub tables: BTreeSet<String>,
}

/// Everything that is wrong with the statements of a crate, one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<String>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\n"))
    }
}

impl std::error::Error for Problems {}

/// Checks the statements of the calling crate; see [`statements_test`](crate::statements_test).
#[macro_export]
macro_rules! check_statements {
    () => {
        $crate::statements_test::check_crate(
            ::std::path::Path::new(::core::env!("CARGO_MANIFEST_DIR")),
            ::core::env!("CARGO_PKG_NAME"),
        )
    };
}

/// Checks the statements under `src` of the crate in `folder`.
///
/// # Errors
/// All problems at once, each with its place.
pub fn check_crate(folder: &Path, package: &str) -> Result<Found, Problems> {
    check_macro(folder, "sql!", package)
}

fn check_macro(folder: &Path, name: &str, package: &str) -> Result<Found, Problems> {
    let literals = literals::in_sources(&folder.join("src"), name)
        .map_err(|error| Problems(vec![format!("the sources cannot be read: {error}")]))?;
    let mut tables = BTreeSet::new();
    let mut problems = Vec::new();
    for literal in &literals {
        match tables_of(literal, package) {
            Ok(found) => tables.extend(found),
            Err(problem) => problems.push(format!("{}: {problem}", literal.place)),
        }
    }
    if problems.is_empty() {
        Ok(Found { statements: literals.len(), tables })
    } else {
        Err(Problems(problems))
    }
}

fn tables_of(literal: &Literal, package: &str) -> Result<BTreeSet<String>, String> {
    let text = &literal.text;
    // The number of values is the compiler's business.
    let placeholders = literals::placeholders(text);
    let shape = check(text, placeholders, package)
        .map_err(|refusal| refusal.message(text, package).as_str().to_owned())?;
    let bulk = match shape.bulk {
        None => Bulk::None,
        Some((crate::statement::Fragment::Rows, _)) => Bulk::Rows { rows: 2, width: 2 },
        Some(_) => Bulk::List(2),
    };
    let prefix = format!("{}_", package.replace('-', "_"));
    let mut tables = BTreeSet::new();
    for dialect in [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql] {
        let sql = render(text, dialect, bulk);
        for table in parse(&sql, dialect).map_err(|error| format!("{}: {error} in: {sql}", dialect.name()))? {
            if !table.starts_with(&prefix) {
                return Err(format!(
                    "the table {table} does not belong to {package}, whose tables start with {prefix}; ask the \
                     module that it belongs to through its api"
                ));
            }
            tables.insert(table);
        }
    }
    Ok(tables)
}

/// The tables of a rendered statement.
fn parse(sql: &str, dialect: Dialect) -> Result<BTreeSet<String>, String> {
    let parsed = match dialect {
        Dialect::Sqlite => Parser::parse_sql(&SQLiteDialect {}, sql),
        Dialect::MySql => Parser::parse_sql(&MySqlDialect {}, sql),
        _ => Parser::parse_sql(&PostgreSqlDialect {}, sql),
    };
    let statements = parsed.map_err(|error| error.to_string())?;
    let mut tables = BTreeSet::new();
    // The visitor never breaks off.
    let ControlFlow::Continue(()) = visit_relations(&statements, |table| {
        tables.insert(table.to_string());
        ControlFlow::<std::convert::Infallible>::Continue(())
    });
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(text: &str) -> Result<BTreeSet<String>, String> {
        tables_of(&Literal { place: "a.rs:1".into(), text: text.into() }, "shop")
    }

    #[test]
    fn tables_are_found_wherever_they_stand() {
        let found = tables(
            "select a from (select a from shop_item) x join shop_line l on l.item = x.a
             where exists (select 1 from shop_note)",
        );
        assert_eq!(found.unwrap(), ["shop_item", "shop_line", "shop_note"].map(String::from).into());
    }

    #[test]
    fn a_foreign_table_that_slips_through_the_compiler_is_found() {
        let error = tables("select a from (select a from shop_item) x, other_item").unwrap_err();
        assert!(error.contains("the table other_item does not belong to shop"), "{error}");
    }

    #[test]
    fn what_does_not_parse_is_told_with_its_dialect() {
        let error = tables("select a from shop_item where a = = 1").unwrap_err();
        assert!(error.starts_with("sqlite:"), "{error}");
    }

    #[test]
    fn the_statements_of_this_crate_touch_only_its_own_tables() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = check_macro(folder, "framework_sql!", "dolmen").unwrap_or_else(|error| panic!("{error}"));
        assert!(found.statements > 20, "{found:?}");
        assert!(found.tables.contains("dolmen_job"), "{found:?}");
    }
}
