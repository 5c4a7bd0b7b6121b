//! The statements of a migration's file.

use dolmen_ports::Dialect;

/// How many characters of a statement name it in a report.
const TITLE: usize = 60;

/// Cuts a file at the `;` that stand outside of quotes and comments. What holds nothing but comments is left out.
pub(super) fn statements(script: &'static str, dialect: Dialect) -> Vec<&'static str> {
    let mut statements = Vec::new();
    let (mut start, mut at, mut has_code) = (0, 0, false);
    while let Some(rest) = script.get(at..).filter(|rest| !rest.is_empty()) {
        let length = token(rest, dialect);
        if rest.starts_with(';') {
            keep(&mut statements, script.get(start..at), has_code);
            (start, has_code) = (at + length, false);
        } else {
            has_code |= is_code(rest, dialect);
        }
        at += length;
    }
    keep(&mut statements, script.get(start..), has_code);
    statements
}

fn keep(statements: &mut Vec<&'static str>, statement: Option<&'static str>, has_code: bool) {
    statements.extend(statement.filter(|_| has_code).map(str::trim));
}

/// Whether a server does anything with the token at the front; the MySQL family runs comments with a `!`.
fn is_code(rest: &str, dialect: Dialect) -> bool {
    let is_run = dialect == Dialect::MySql && (rest.starts_with("/*!") || rest.starts_with("/*M!"));
    is_run || !(comment(rest, dialect).is_some() || rest.starts_with(char::is_whitespace))
}

/// The length of what stands at the front: a comment, a quoted text or name, a word, or one character.
fn token(rest: &str, dialect: Dialect) -> usize {
    if let Some(length) = comment(rest, dialect) {
        return length;
    }
    let Some(first) = rest.chars().next() else { return 0 };
    match first {
        '\'' | '"' => quoted(rest, dialect == Dialect::MySql),
        '`' if dialect == Dialect::MySql => quoted(rest, false),
        '$' if dialect == Dialect::Postgres => dollar_quoted(rest).unwrap_or(1),
        _ if is_word(first) => {
            let word = rest.find(|c| !(is_word(c) || c == '$')).unwrap_or(rest.len());
            match rest.split_at(word) {
                ("e" | "E", text) if dialect == Dialect::Postgres && text.starts_with('\'') => {
                    word + quoted(text, true)
                }
                _ => word,
            }
        }
        _ => first.len_utf8(),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a quoted text. A doubled quote ends one text and begins another, which comes to the same.
fn quoted(rest: &str, escapes: bool) -> usize {
    let mut chars = rest.char_indices();
    let Some((_, quote)) = chars.next() else { return 0 };
    while let Some((at, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

/// The length of `$tag$ … $tag$`; none when the dollar is something else, such as `$1`.
fn dollar_quoted(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix('$')?;
    let tag = inner.find('$').filter(|end| inner.get(..*end).is_some_and(|tag| tag.chars().all(is_word)))?;
    if inner.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let (mark, text) = rest.split_at(tag + 2);
    Some(text.find(mark).map_or(rest.len(), |end| mark.len() + end + mark.len()))
}

/// The length of the comment at the front.
fn comment(rest: &str, dialect: Dialect) -> Option<usize> {
    let is_mysql = dialect == Dialect::MySql;
    // On the MySQL family a dash comment needs white space after its dashes.
    let dashes = rest
        .strip_prefix("--")
        .is_some_and(|rest| !is_mysql || rest.is_empty() || rest.starts_with(char::is_whitespace));
    if dashes || (is_mysql && rest.starts_with('#')) {
        return Some(rest.find('\n').map_or(rest.len(), |end| end + 1));
    }
    let inner = rest.strip_prefix("/*")?;
    if is_mysql {
        return Some(inner.find("*/").map_or(rest.len(), |end| end + 4));
    }
    Some(nested_comment(rest))
}

/// The length of a comment that may hold others.
fn nested_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while let Some(left) = rest.get(at..).filter(|left| !left.is_empty()) {
        match left {
            _ if left.starts_with("/*") => (depth, at) = (depth + 1, at + 2),
            _ if left.starts_with("*/") => (depth, at) = (depth.saturating_sub(1), at + 2),
            _ => at += left.chars().next().map_or(1, char::len_utf8),
        }
        if depth == 0 {
            return at;
        }
    }
    rest.len()
}

/// A statement without the comments before it.
pub(super) fn bare(statement: &str, dialect: Dialect) -> &str {
    let mut rest = statement.trim_start();
    while let Some(length) = comment(rest, dialect).filter(|_| !is_code(rest, dialect)) {
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    rest
}

/// The beginning of a statement, on one line and without the comments before it.
pub(super) fn title(statement: &str, dialect: Dialect) -> String {
    let words = bare(statement, dialect).split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(TITLE).collect();
    if short.len() < words.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_where_the_mysql_family_would_cut_it() {
        let cases: [(&str, &[&str]); 7] = [
            ("", &[]),
            ("-- nothing; here\n# nor; here\n/* nor; here */ ; ;", &[]),
            ("create table a (b int); drop table c;\n", &["create table a (b int)", "drop table c"]),
            (
                "insert into a values ('x;''y;\\';', \"z;\", `k;`); select 1",
                &["insert into a values ('x;''y;\\';', \"z;\", `k;`)", "select 1"],
            ),
            ("select 1 -- it's;\n; select 2--1;", &["select 1 -- it's;", "select 2--1"]),
            ("/*!80017 set a = 1; */; select 'é;'", &["/*!80017 set a = 1; */", "select 'é;'"]),
            ("select 'never closed; select 1", &["select 'never closed; select 1"]),
        ];
        for (file, expected) in cases {
            assert_eq!(statements(file, Dialect::MySql), expected, "{file}");
        }
    }

    #[test]
    fn a_file_is_cut_where_postgresql_would_cut_it() {
        let cases: [(&str, &[&str]); 8] = [
            ("--nothing; here\n/* nor /* ; */ here; */ ; ;", &[]),
            ("select 'a\\'; select 1", &["select 'a\\'", "select 1"]),
            (
                "select e'a\\';'; select type'b\\'; select 1",
                &["select e'a\\';'", "select type'b\\'", "select 1"],
            ),
            ("do $$ begin; end $$; select 1", &["do $$ begin; end $$", "select 1"]),
            (
                "do $a_1$ $$; $b$; $a_1$; select $1$2; select 1",
                &["do $a_1$ $$; $b$; $a_1$", "select $1$2", "select 1"],
            ),
            ("select a$b$c; select 1 # 2; select 1", &["select a$b$c", "select 1 # 2", "select 1"]),
            ("select \"a;\"\"b\"; select 'é;'", &["select \"a;\"\"b\"", "select 'é;'"]),
            ("select $$ never closed; select 1", &["select $$ never closed; select 1"]),
        ];
        for (file, expected) in cases {
            assert_eq!(statements(file, Dialect::Postgres), expected, "{file}");
        }
    }

    #[test]
    fn a_title_is_short_and_on_one_line() {
        assert_eq!(
            title("-- Jobs.\n/* of all */ create table a (\n  b int\n)", Dialect::MySql),
            "`create table a ( b int )`"
        );
        let long = title(
            "alter table invoices_invoice add column note text, add column another_one text",
            Dialect::MySql,
        );
        assert_eq!(long, "`alter table invoices_invoice add column note text, add colum…`");
    }
}
