//! Markers: comments in a migration's file that say how it is to be run.

use std::fmt;

use super::migration::{Dialect, Migration};

const PREFIX: &str = "-- dolmen:";
const NO_TRANSACTION: &str = "no transaction";
const BREAKS_OLDER_BINARIES: &str = "breaks older binaries";
const ALLOW: &str = "allow ";

/// What the file of a migration says about itself, in comment lines before its first statement.
///
/// | line | means |
/// |---|---|
/// | `-- dolmen: no transaction` | PostgreSQL only: it has statements that no transaction takes, such as `create index concurrently` |
/// | `-- dolmen: breaks older binaries` | a version of the program that does not know it must not run on the schema any more |
///
/// `-- dolmen: allow <rule>: <reason>` may stand anywhere: it is for the linter of migrations.
///
/// # Examples
/// ```
/// use dolmen_ports::MigrationMarkers;
/// let markers = MigrationMarkers::read("-- dolmen: breaks older binaries\ndrop table notes;").unwrap();
/// assert!(markers.breaks_older_binaries && !markers.no_transaction);
/// assert!(MigrationMarkers::read("-- dolmen: breaks old binaries\ndrop table notes;").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct MigrationMarkers {
    /// Its statements are run one by one, each committed by itself.
    pub no_transaction: bool,
    /// An older version of the program refuses to run once it is applied.
    pub breaks_older_binaries: bool,
}

/// A line that begins with `-- dolmen:` and says nothing that is known, or says it too late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnknownMarker<'a> {
    /// What follows `-- dolmen:`.
    pub text: &'a str,
    /// The line, from 1.
    pub line: usize,
    /// It is known, but stands below the first statement.
    pub late: bool,
}

impl fmt::Display for UnknownMarker<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { text, line, late } = self;
        if *late {
            return write!(f, "line {line}: `{PREFIX} {text}` stands below a statement; move it to the top");
        }
        write!(
            f,
            "line {line}: `{PREFIX} {text}` is not known; known: `{NO_TRANSACTION}`, `{BREAKS_OLDER_BINARIES}`, \
             `allow <rule>: <reason>`"
        )
    }
}

impl std::error::Error for UnknownMarker<'_> {}

impl MigrationMarkers {
    /// The markers that are known, for hints.
    pub const KNOWN: [&str; 2] = [NO_TRANSACTION, BREAKS_OLDER_BINARIES];

    /// Reads the markers of a file.
    ///
    /// # Errors
    /// The first line that begins with `-- dolmen:` and cannot be understood.
    pub const fn read(sql: &str) -> Result<Self, UnknownMarker<'_>> {
        let mut markers = Self { no_transaction: false, breaks_older_binaries: false };
        let (mut rest, mut line, mut heading) = (sql, 1, true);
        while !rest.is_empty() {
            let (text, after) = cut_line(rest);
            let text = text.trim_ascii();
            if let Some(said) = after_prefix(text, PREFIX) {
                let said = said.trim_ascii();
                let known = same(said, NO_TRANSACTION) || same(said, BREAKS_OLDER_BINARIES);
                if known && !heading {
                    return Err(UnknownMarker { text: said, line, late: true });
                }
                markers.no_transaction |= same(said, NO_TRANSACTION);
                markers.breaks_older_binaries |= same(said, BREAKS_OLDER_BINARIES);
                if !known && after_prefix(said, ALLOW).is_none() {
                    return Err(UnknownMarker { text: said, line, late: false });
                }
            }
            heading &= text.is_empty() || after_prefix(text, "--").is_some();
            rest = after;
            line += 1;
        }
        Ok(markers)
    }
}

impl Migration {
    /// The markers of its file for a dialect.
    ///
    /// # Errors
    /// As [`MigrationMarkers::read`].
    pub const fn markers(&self, dialect: Dialect) -> Result<MigrationMarkers, UnknownMarker<'static>> {
        MigrationMarkers::read(self.sql(dialect))
    }

    /// Whether the markers of all its files are known; [`migrations!`](crate::migrations) does not compile otherwise.
    pub const fn has_known_markers(&self) -> bool {
        self.markers(Dialect::Sqlite).is_ok()
            && self.markers(Dialect::Postgres).is_ok()
            && self.markers(Dialect::MySql).is_ok()
    }
}

/// The first line without its end, and what follows it.
const fn cut_line(text: &str) -> (&str, &str) {
    let (bytes, mut end) = (text.as_bytes(), 0);
    while end < bytes.len() && !is_line_end(bytes, end) {
        end += 1;
    }
    let (line, rest) = text.split_at(end);
    if rest.is_empty() { (line, rest) } else { (line, rest.split_at(1).1) }
}

#[expect(
    clippy::indexing_slicing,
    reason = "a constant function has no other way; the caller stays below the length"
)]
const fn is_line_end(bytes: &[u8], at: usize) -> bool {
    bytes[at] == b'\n'
}

const fn after_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    if text.len() < prefix.len() || !text.is_char_boundary(prefix.len()) {
        return None;
    }
    let (front, rest) = text.split_at(prefix.len());
    if same(front, prefix) { Some(rest) } else { None }
}

const fn same(one: &str, other: &str) -> bool {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while let ([first, rest_of_one @ ..], [second, rest_of_other @ ..]) = (one, other) {
        if *first != *second {
            return false;
        }
        (one, other) = (rest_of_one, rest_of_other);
    }
    one.is_empty() && other.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> Result<(bool, bool), String> {
        let markers = MigrationMarkers::read(sql).map_err(|error| error.to_string())?;
        Ok((markers.no_transaction, markers.breaks_older_binaries))
    }

    #[test]
    fn markers_stand_above_the_first_statement() {
        assert_eq!(read("create table a (b int);"), Ok((false, false)));
        assert_eq!(
            read("-- Why.\n\n-- dolmen: no transaction\ncreate index concurrently a;"),
            Ok((true, false))
        );
        let both = "-- dolmen: no transaction\r\n-- dolmen:  breaks older binaries \r\n-- é\r\nselect 1";
        assert_eq!(read(both), Ok((true, true)));
        let late = read("-- é\nselect 1;\n-- dolmen: no transaction").unwrap_err();
        assert!(late.contains("line 3") && late.contains("move it to the top"), "{late}");
    }

    #[test]
    fn what_is_not_known_is_an_error_with_what_is() {
        for wrong in
            ["-- dolmen: no transactions", "-- dolmen:", "select 1;\n-- dolmen: allow", "-- dolmen: é"]
        {
            let error = read(wrong).unwrap_err();
            assert!(error.contains("not known") && error.contains("`breaks older binaries`"), "{error}");
        }
        assert_eq!(
            read("select 1;\n  -- dolmen: allow drop-table: nobody reads it\nselect 2"),
            Ok((false, false))
        );
        assert_eq!(read("--dolmen no transaction\nselect '-- dolmen: x'"), Ok((false, false)));
    }
}
