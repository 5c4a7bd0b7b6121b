//! The statements of a migration's file.

/// How many characters of a statement name it in a report.
const TITLE: usize = 60;

/// Cuts a file at the `;` that stand outside of quotes and comments. What holds nothing but comments is left out.
pub(super) fn statements(script: &'static str) -> Vec<&'static str> {
    let mut statements = Vec::new();
    let (mut start, mut at, mut has_code) = (0, 0, false);
    while let Some(rest) = script.get(at..).filter(|rest| !rest.is_empty()) {
        let length = token(rest);
        if rest.starts_with(';') {
            keep(&mut statements, script.get(start..at), has_code);
            (start, has_code) = (at + length, false);
        } else {
            has_code |= is_code(rest);
        }
        at += length;
    }
    keep(&mut statements, script.get(start..), has_code);
    statements
}

fn keep(statements: &mut Vec<&'static str>, statement: Option<&'static str>, has_code: bool) {
    statements.extend(statement.filter(|_| has_code).map(str::trim));
}

/// Whether a server does anything with the token at the front; the families run comments with a `!`.
fn is_code(rest: &str) -> bool {
    let is_run = rest.starts_with("/*!") || rest.starts_with("/*M!");
    is_run || !(comment(rest).is_some() || rest.starts_with(char::is_whitespace))
}

/// The length of what stands at the front: a comment, a quoted text or name, or one character.
fn token(rest: &str) -> usize {
    if let Some(length) = comment(rest) {
        return length;
    }
    let mut chars = rest.char_indices();
    let Some((_, first)) = chars.next() else { return 0 };
    if !matches!(first, '\'' | '"' | '`') {
        return first.len_utf8();
    }
    // A doubled quote ends one text and begins another, which comes to the same.
    while let Some((at, c)) = chars.next() {
        if c == '\\' && first != '`' {
            chars.next();
        } else if c == first {
            return at + c.len_utf8();
        }
    }
    rest.len()
}

/// The length of the comment at the front. A dash comment needs white space after its dashes.
fn comment(rest: &str) -> Option<usize> {
    let dashes =
        rest.strip_prefix("--").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace));
    if dashes || rest.starts_with('#') {
        return Some(rest.find('\n').map_or(rest.len(), |end| end + 1));
    }
    let inner = rest.strip_prefix("/*")?;
    Some(inner.find("*/").map_or(rest.len(), |end| end + 4))
}

/// The beginning of a statement, on one line and without the comments before it.
pub(super) fn title(statement: &str) -> String {
    let mut rest = statement.trim_start();
    while let Some(length) = comment(rest).filter(|_| !is_code(rest)) {
        rest = rest.get(length..).unwrap_or_default().trim_start();
    }
    let words = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = words.chars().take(TITLE).collect();
    if short.len() < words.len() { format!("`{short}…`") } else { format!("`{short}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cut_where_the_server_would_cut_it() {
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
            assert_eq!(statements(file), expected, "{file}");
        }
    }

    #[test]
    fn a_title_is_short_and_on_one_line() {
        assert_eq!(
            title("-- Jobs.\n/* of all */ create table a (\n  b int\n)"),
            "`create table a ( b int )`"
        );
        let long = title("alter table invoices_invoice add column note text, add column another_one text");
        assert_eq!(long, "`alter table invoices_invoice add column note text, add colum…`");
    }
}
