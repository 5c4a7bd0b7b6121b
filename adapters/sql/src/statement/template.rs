//! The text of one `sql!` call: checked when it is compiled, rendered once per dialect and size.

use std::fmt::Write as _;
use std::sync::{PoisonError, RwLock};

use dolmen_ports::Dialect;

use super::check::{Shape, check};
use super::fragment::{Fragment, IGNORED, UPSERT};
use super::scan;

/// How many copies of a row or of a placeholder `{rows}` or `{list}` stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bulk {
    /// The text has neither.
    None,
    /// This many rows of this many values.
    Rows { rows: usize, width: usize },
    /// A list of this many values.
    List(usize),
}

/// The text of one `sql!` call. Made by the macro.
#[derive(Debug)]
pub struct Template {
    text: &'static str,
    shape: Shape,
    rendered: RwLock<Vec<Rendered>>,
}

#[derive(Debug)]
struct Rendered {
    dialect: Dialect,
    bulk: Bulk,
    sql: &'static str,
}

impl Template {
    /// Checks the text; in a `static`, so that a refusal is a compile error.
    #[doc(hidden)]
    #[expect(clippy::panic, reason = "a panic in a static is a compile error")]
    pub const fn checked(text: &'static str, values: usize, package: &str) -> Self {
        match check(text, values, package) {
            Ok(shape) => Self { text, shape, rendered: RwLock::new(Vec::new()) },
            Err(refusal) => panic!("{}", refusal.message(text, package).as_str()),
        }
    }

    pub(crate) const fn bulk(&self) -> Option<(Fragment, usize)> {
        self.shape.bulk
    }

    /// The statement for a dialect. Leaked, once per dialect and size, so that drivers get a `&'static str`: their
    /// statement caches work, and no text made at run time can ever get in.
    pub(crate) fn render(&self, dialect: Dialect, bulk: Bulk) -> &'static str {
        let find = |all: &Vec<Rendered>| {
            all.iter().find(|known| known.dialect == dialect && known.bulk == bulk).map(|known| known.sql)
        };
        if let Some(sql) = find(&self.rendered.read().unwrap_or_else(PoisonError::into_inner)) {
            return sql;
        }
        let mut all = self.rendered.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(sql) = find(&all) {
            return sql;
        }
        let sql: &'static str = Box::leak(render(self.text, dialect, bulk).into_boxed_str());
        all.push(Rendered { dialect, bulk, sql });
        sql
    }
}

/// Writes a checked text for a dialect.
pub(crate) fn render(text: &str, dialect: Dialect, bulk: Bulk) -> String {
    let mut out = Output { sql: String::with_capacity(text.len() + 32), dialect, bound: 0 };
    let mut closing = "";
    let mut rest = text;
    while let Some(at) = rest.find(['\'', '?', '{', '}']) {
        let (before, token) = rest.split_at(at);
        out.sql.push_str(before);
        rest = match token.as_bytes() {
            [b'\'', ..] => {
                let end = scan::skip_quoted(token.as_bytes(), 0).unwrap_or(token.len());
                let (quoted, after) = token.split_at(end);
                out.sql.push_str(quoted);
                after
            }
            [b'?', ..] => {
                out.placeholder();
                &token[1..]
            }
            [b'{', ..] => {
                let end = scan::skip_word(token.as_bytes(), 1);
                let (name, argument) = (&token[1..end], token[end..].trim_start());
                if let Some(after) = out.conflict(name, argument) {
                    after
                } else {
                    closing = out.open(name, bulk);
                    argument
                }
            }
            _ => {
                out.sql.push_str(closing);
                &token[1..]
            }
        };
    }
    out.sql.push_str(rest);
    out.sql
}

struct Output {
    sql: String,
    dialect: Dialect,
    bound: usize,
}

impl Output {
    fn placeholder(&mut self) {
        self.bound += 1;
        match self.dialect {
            Dialect::Sqlite | Dialect::MySql => self.sql.push('?'),
            // Writing to a String cannot fail.
            _ => drop(write!(self.sql, "${}", self.bound)),
        }
    }

    fn placeholders(&mut self, count: usize) {
        for index in 0..count {
            self.sql.push_str(if index == 0 { "" } else { ", " });
            self.placeholder();
        }
    }

    /// Writes `{on_conflict ..}` and `{ignore_conflict ..}` for the MySQL family, where a conflict is one of any key;
    /// returns what follows the fragment.
    fn conflict<'t>(&mut self, name: &str, argument: &'t str) -> Option<&'t str> {
        if self.dialect != Dialect::MySql {
            return None;
        }
        let fragment = Fragment::named(name.as_bytes())?;
        let (columns, after) = argument.split_once('}')?;
        match fragment {
            Fragment::OnConflict => self.sql.push_str(UPSERT),
            Fragment::IgnoreConflict => {
                let column = columns.split(',').next().unwrap_or_default().trim();
                // Changes nothing, and leaves a mark in what the server answers.
                let mark = format!("if(last_insert_id({IGNORED}) = {IGNORED}, {column}, {column})");
                self.sql.extend([UPSERT, " ", column, " = ", &mark]);
            }
            _ => return None,
        }
        Some(after)
    }

    /// Writes what stands before the fragment's argument; returns what stands after it.
    fn open(&mut self, name: &str, bulk: Bulk) -> &'static str {
        let Some(fragment) = Fragment::named(name.as_bytes()) else { return "" };
        match bulk {
            Bulk::Rows { rows, width } if fragment == Fragment::Rows => {
                for row in 0..rows {
                    self.sql.push_str(if row == 0 { "(" } else { ", (" });
                    self.placeholders(width);
                    self.sql.push(')');
                }
            }
            // `in (null)` holds for no row.
            Bulk::List(0) if fragment == Fragment::List => self.sql.push_str("null"),
            Bulk::List(count) if fragment == Fragment::List => self.placeholders(count),
            _ => {}
        }
        let (before, after) = fragment.around(self.dialect);
        self.sql.push_str(before);
        after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fragment_renders_in_each_dialect() {
        let cases = [
            (
                "a = ? and b = '?{' and c = ?",
                "a = ? and b = '?{' and c = ?",
                "a = $1 and b = '?{' and c = $2",
                "a = ? and b = '?{' and c = ?",
            ),
            ("x {for_update} y", "x  y", "x for update y", "x for update y"),
            ("x {skip_locked}", "x ", "x for update skip locked", "x for update skip locked"),
            (
                "{on_conflict a, b} c = {new c}, d = ?",
                "on conflict (a, b) do update set c = excluded.c, d = ?",
                "on conflict (a, b) do update set c = excluded.c, d = $1",
                "on duplicate key update c = values(c), d = ?",
            ),
            (
                "{ignore_conflict a, b} x",
                "on conflict (a, b) do nothing x",
                "on conflict (a, b) do nothing x",
                "on duplicate key update a = if(last_insert_id(110429723256174) = 110429723256174, a, a) x",
            ),
            (
                "{int sum(a) / ?}",
                "cast(sum(a) / ? as integer)",
                "trunc((sum(a) / $1)::numeric)::bigint",
                "cast(truncate(sum(a) / ?, 0) as signed)",
            ),
            (
                "{now}",
                "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')",
                "statement_timestamp()",
                "utc_timestamp(6)",
            ),
            (
                "{now_plus ?}",
                "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now', printf('%+.3f seconds', ? / 1000000.0))",
                "(statement_timestamp() + $1 * interval '1 microsecond')",
                "(utc_timestamp(6) + interval ? microsecond)",
            ),
        ];
        for (text, sqlite, postgres, mysql) in cases {
            assert_eq!(render(text, Dialect::Sqlite, Bulk::None), sqlite);
            assert_eq!(render(text, Dialect::Postgres, Bulk::None), postgres);
            assert_eq!(render(text, Dialect::MySql, Bulk::None), mysql);
        }
    }

    #[test]
    fn rows_and_lists_are_numbered_with_the_values_around_them() {
        let rows = Bulk::Rows { rows: 2, width: 2 };
        assert_eq!(render("? {rows} ?", Dialect::Postgres, rows), "$1 ($2, $3), ($4, $5) $6");
        assert_eq!(render("({list})", Dialect::Sqlite, Bulk::List(3)), "(?, ?, ?)");
        assert_eq!(render("({list}) ?", Dialect::Postgres, Bulk::List(0)), "(null) $1");
    }

    #[test]
    fn one_text_is_rendered_once_per_dialect_and_size() {
        static TEMPLATE: Template = Template::checked("insert into a_b (c) values {rows}", 0, "a");
        let two = Bulk::Rows { rows: 2, width: 1 };
        let first = TEMPLATE.render(Dialect::Sqlite, two);
        assert!(std::ptr::eq(first, TEMPLATE.render(Dialect::Sqlite, two)));
        assert_ne!(first, TEMPLATE.render(Dialect::Postgres, two));
        assert_ne!(first, TEMPLATE.render(Dialect::Sqlite, Bulk::Rows { rows: 4, width: 1 }));
    }
}
