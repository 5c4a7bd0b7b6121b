//! What the compiler refuses in a statement's text.
//!
//! Everything here runs in a `const`, so a refusal is a compile error at the call of `sql!`.

use super::fragment::Fragment;
use super::refusal::Refusal;
use super::scan::{between, byte, equal, is_word, skip_quoted, skip_space, skip_word, starts_with};

/// What the check found out about a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// How many `?` it holds.
    pub(crate) placeholders: usize,
    /// `{rows}` or `{list}`, with the number of `?` before it.
    pub(crate) bulk: Option<(Fragment, usize)>,
}

/// The rule that a text breaks, in words.
type Broken = &'static str;

/// Checks a text for a package: its tables start with the package's name and `_`.
pub(crate) const fn check(text: &str, values: usize, package: &str) -> Result<Shape, Refusal> {
    let text = text.as_bytes();
    let mut scan = Scan {
        at: 0,
        open: false,
        ignores_conflict: false,
        shape: Shape { placeholders: 0, bulk: None },
        foreign: None,
    };
    match scan.broken(text, values, package.as_bytes()) {
        None => Ok(scan.shape),
        Some(rule) => Err(Refusal { rule, table: scan.foreign }),
    }
}

const fn starts_like_a_statement(text: &[u8]) -> bool {
    let start = skip_space(text, 0);
    let word = between(text, start, skip_word(text, start));
    equal(word, b"select")
        || equal(word, b"insert")
        || equal(word, b"update")
        || equal(word, b"delete")
        || equal(word, b"with")
}

struct Scan {
    at: usize,
    open: bool,
    ignores_conflict: bool,
    shape: Shape,
    /// Where a table stands that belongs to somebody else.
    foreign: Option<(usize, usize)>,
}

impl Scan {
    /// Reads the text to its end, or to the first rule that it breaks.
    const fn broken(&mut self, text: &[u8], values: usize, package: &[u8]) -> Option<Broken> {
        if !starts_like_a_statement(text) {
            return Some(
                "sql!: a statement starts with select, insert, update, delete or with; schema changes go into \
                         migrations",
            );
        }
        while self.at < text.len() {
            if let Some(rule) = self.step(text, package) {
                return Some(rule);
            }
        }
        if self.open {
            return Some("sql!: a brace { is not closed");
        }
        if self.shape.placeholders != values {
            return Some("sql!: the number of ? differs from the number of values");
        }
        if self.ignores_conflict && matches!(self.shape.bulk, Some((Fragment::Rows, _))) {
            return Some("sql!: {ignore_conflict} and {rows} do not go together; insert row by row");
        }
        None
    }

    /// Reads one token.
    const fn step(&mut self, text: &[u8], package: &[u8]) -> Option<Broken> {
        let here = byte(text, self.at);
        match here {
            b'\'' => match skip_quoted(text, self.at) {
                Some(end) if contains(between(text, self.at, end), b'\\') => {
                    return Some("sql!: \\ means something else on every database; bind the text with ?");
                }
                Some(end) => self.at = end,
                None => return Some("sql!: a quote ' is not closed"),
            },
            b'?' => {
                self.shape.placeholders += 1;
                self.at += 1;
            }
            b'{' => return self.open_fragment(text),
            b'}' if self.open => {
                self.open = false;
                self.at += 1;
            }
            b'}' => return Some("sql!: a brace } has no opening one"),
            b'*' if is_all_columns(text, self.at) => {
                return Some(
                    "sql!: name the columns instead of *; a migration that adds one must not change a result",
                );
            }
            _ if is_word(here) => return self.word(text, package),
            _ => {
                if let Some(rule) = forbidden(here, byte(text, self.at + 1)) {
                    return Some(rule);
                }
                self.at += 1;
            }
        }
        None
    }

    const fn open_fragment(&mut self, text: &[u8]) -> Option<Broken> {
        if self.open {
            return Some("sql!: a fragment inside a fragment; write them one after the other");
        }
        let end = skip_word(text, self.at + 1);
        let Some(fragment) = Fragment::named(between(text, self.at + 1, end)) else {
            return Some(
                "sql!: unknown fragment; known: {for_update} {skip_locked} {on_conflict k} {new c} \
                         {ignore_conflict k} {rows} {list} {int e} {now} {now_plus ?}",
            );
        };
        let has_argument = byte(text, skip_space(text, end)) != b'}';
        if fragment.takes_argument() != has_argument {
            return Some(
                "sql!: {on_conflict k} {ignore_conflict k} {new c} {int e} {now_plus ?} take an argument, the \
                         other fragments take none",
            );
        }
        if matches!(fragment, Fragment::Rows | Fragment::List) {
            if self.shape.bulk.is_some() {
                return Some("sql!: one {rows} or {list} in a statement");
            }
            self.shape.bulk = Some((fragment, self.shape.placeholders));
        }
        if matches!(fragment, Fragment::IgnoreConflict) {
            self.ignores_conflict = true;
        }
        self.open = true;
        self.at = skip_space(text, end);
        None
    }

    const fn word(&mut self, text: &[u8], package: &[u8]) -> Option<Broken> {
        let end = skip_word(text, self.at);
        let word = between(text, self.at, end);
        self.at = end;
        let reads = equal(word, b"from") || equal(word, b"join");
        if !reads && !equal(word, b"into") && !equal(word, b"update") {
            return None;
        }
        let start = skip_space(text, end);
        if byte(text, start) == b'(' {
            return None;
        }
        let table_end = skip_word(text, start);
        if !belongs(between(text, start, table_end), package) {
            self.foreign = Some((start, skip_qualified(text, table_end)));
            return Some(
                "sql!: after from, join, into and update stands a table of this crate, `<crate name>_...`; \
                         ask another module through its api",
            );
        }
        self.at = table_end;
        if reads && comma_follows(text, table_end) {
            return Some("sql!: join tables with join .. on, not with a comma");
        }
        None
    }
}

/// Whether the table is `<package>_` and something, with `_` for each `-` of the package's name.
const fn belongs(table: &[u8], package: &[u8]) -> bool {
    if table.len() <= package.len() + 1 || byte(table, package.len()) != b'_' {
        return false;
    }
    let mut index = 0;
    while index < package.len() {
        let wanted = if byte(package, index) == b'-' { b'_' } else { byte(package, index) };
        if byte(table, index) != wanted {
            return false;
        }
        index += 1;
    }
    true
}

/// The position after a name of several parts, such as `public.item`, whose first part ends at `at`.
const fn skip_qualified(text: &[u8], mut at: usize) -> usize {
    while byte(text, at) == b'.' {
        at = skip_word(text, at + 1);
    }
    at
}

/// Whether a comma follows the table, or its alias.
const fn comma_follows(text: &[u8], table_end: usize) -> bool {
    let mut at = skip_space(text, table_end);
    if starts_with(text.split_at(at).1, b"as ") {
        at = skip_space(text, at + 3);
    }
    at = skip_space(text, skip_word(text, at));
    byte(text, at) == b','
}

/// Whether the `*` at `at` stands for all columns: not for a product, and not in `count(*)`.
const fn is_all_columns(text: &[u8], at: usize) -> bool {
    let mut end = at;
    while end > 0 && byte(text, end - 1).is_ascii_whitespace() {
        end -= 1;
    }
    let mut start = end;
    while start > 0 && is_word(byte(text, start - 1)) {
        start -= 1;
    }
    let word = between(text, start, end);
    let before = if end > 0 { byte(text, end - 1) } else { 0 };
    before == b'.'
        || before == b','
        || equal(word, b"select")
        || equal(word, b"distinct")
        || equal(word, b"all")
        || equal(word, b"returning")
}

const fn forbidden(here: u8, next: u8) -> Option<Broken> {
    match (here, next) {
        (b'"' | b'`', _) => Some("sql!: no quoted names; they differ between databases"),
        (b';', _) => Some("sql!: one statement, without ;"),
        (b'\\', _) => Some("sql!: no \\ in a statement"),
        (b'$', _) => Some("sql!: placeholders are written ?"),
        (b'-', b'-') | (b'/', b'*') => Some("sql!: no comments in a statement; write them in Rust"),
        (b':', b':') => Some("sql!: :: is PostgreSQL's; write {int e} or cast(e as type)"),
        (0, _) => Some("sql!: no U+0000 in a statement"),
        _ => None,
    }
}

const fn contains(text: &[u8], wanted: u8) -> bool {
    let mut at = 0;
    while at < text.len() {
        if byte(text, at) == wanted {
            return true;
        }
        at += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str, values: usize) -> String {
        check(text, values, "my-shop").expect_err(text).message(text, "my-shop").as_str().to_owned()
    }

    #[test]
    fn sound_statements_pass() {
        let sound = [
            ("select a from my_shop_item where b = ? and c = '?' {for_update}", 1),
            ("select count(*), 2 * a from my_shop_item where (a) * 3 = a", 0),
            ("insert into my_shop_item (a, b) values {rows} {on_conflict a} b = {new b}", 0),
            ("select a from my_shop_item where a in ({list}) and b < ?", 1),
            ("select {int sum(a) / 2} as half from my_shop_item join my_shop_line as l on l.i = a", 0),
            ("update my_shop_item set at = {now_plus ?}, note = '{not} $a \"fragment\"'", 1),
            (
                "with my_shop_top as (select a from (select a from my_shop_item) x) delete from my_shop_item",
                0,
            ),
        ];
        for (text, values) in sound {
            assert!(check(text, values, "my-shop").is_ok(), "{text}: {:?}", check(text, values, "my-shop"));
        }
    }

    #[test]
    fn each_refusal_says_why() {
        let unsound = [
            ("select a from other_item", 0, "the table other_item does not belong to my-shop"),
            ("select a from my_shop_item i join other_item o on o.a = i.a", 0, "the table other_item does"),
            ("insert into dolmen_job (a) values (?)", 1, "the table dolmen_job does not belong to my-shop"),
            ("update other set a = ?", 1, "the table other does not belong to my-shop"),
            ("delete from my_shop", 0, "the table my_shop does not"),
            ("select a from my_shop_", 0, "the table my_shop_ does not"),
            ("select a from public.my_shop_item", 0, "the table public.my_shop_item does not"),
            ("select a from ?", 1, "table of this crate"),
            ("select a from my_shop_item i, other o", 0, "comma"),
            ("select a from my_shop_item, other", 0, "comma"),
            ("select a from my_shop_item as i , other", 0, "comma"),
            ("select a from my_shop_item where a = ?", 0, "number of ?"),
            ("select a from my_shop_item where a = ?", 2, "number of ?"),
            ("select \"a\" from my_shop_item", 0, "quoted names"),
            ("select `a` from my_shop_item", 0, "quoted names"),
            ("select a from my_shop_item; delete from my_shop_item", 0, "without ;"),
            ("select a from my_shop_item where a = $1", 0, "written ?"),
            ("select a from my_shop_item where a = '\\'", 0, "\\"),
            ("select a from my_shop_item where a = \\", 0, "\\"),
            ("select a from my_shop_item -- comment", 0, "comments"),
            ("select a /* c */ from my_shop_item", 0, "comments"),
            ("select a::int from my_shop_item", 0, "::"),
            ("select a from my_shop_item where a = 'x", 0, "not closed"),
            ("select {int a from my_shop_item", 0, "not closed"),
            ("select a from my_shop_item }", 0, "no opening"),
            ("select a from my_shop_item {returning a}", 0, "unknown fragment"),
            ("select a from my_shop_item {for_update now}", 0, "argument"),
            ("insert into my_shop_item (a) values (?) {on_conflict}", 1, "argument"),
            ("select {int {now}} from my_shop_item", 0, "inside a fragment"),
            ("insert into my_shop_item (a) values {rows}, {rows}", 0, "one {rows}"),
            ("insert into my_shop_item (a) values {rows} {ignore_conflict a}", 0, "do not go together"),
            ("select * from my_shop_item", 0, "name the columns"),
            ("select i.* from my_shop_item i", 0, "name the columns"),
            ("select a, * from my_shop_item", 0, "name the columns"),
            ("delete from my_shop_item returning  *", 0, "name the columns"),
            ("drop table my_shop_item", 0, "migrations"),
            ("", 0, "starts with"),
        ];
        for (text, values, words) in unsound {
            assert!(refusal(text, values).contains(words), "{text}: {}", refusal(text, values));
        }
    }

    #[test]
    fn shape_tells_where_the_bulk_stands() {
        let shape = check("update my_shop_item set a = ? where b in ({list}) and c = ?", 2, "my-shop");
        assert_eq!(shape, Ok(Shape { placeholders: 2, bulk: Some((Fragment::List, 1)) }));
    }
}
