//! A migration's file and its statements.

use super::words::{Word, words};

/// The dialect of a file, by its folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Postgres,
    MySql,
}

/// A file.
#[derive(Debug)]
pub(super) struct File {
    /// From the root of the repository.
    pub(super) path: String,
    pub(super) dialect: Dialect,
    pub(super) text: String,
    pub(super) statements: Vec<Statement>,
}

/// A statement, with the comments before it.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) words: Vec<Word>,
    /// Its lines, its comments included.
    pub(super) first_line: usize,
    pub(super) last_line: usize,
}

impl File {
    pub(super) fn new(path: String, dialect: Dialect, text: String) -> Self {
        let (mut statements, mut first_line) = (Vec::new(), 1);
        for part in words(&text, dialect).split_inclusive(|word| word.text == ";") {
            let Some(last_line) = part.last().map(|word| word.line) else { continue };
            let words: Vec<Word> = part.iter().filter(|word| word.text != ";").cloned().collect();
            if !words.is_empty() {
                statements.push(Statement { words, first_line, last_line });
            }
            first_line = last_line + 1;
        }
        Self { path, dialect, text, statements }
    }

    /// Whether a line of its heading says so.
    pub(super) fn is_marked(&self, marker: &str) -> bool {
        let heading =
            self.text.lines().map(str::trim).take_while(|line| line.is_empty() || line.starts_with("--"));
        heading.filter_map(|line| line.strip_prefix("-- dolmen:")).any(|said| said.trim() == marker)
    }

    /// Whether the table was made in this file, so that nobody uses it yet.
    pub(super) fn makes(&self, table: &str) -> bool {
        self.statements.iter().filter_map(Statement::new_table).any(|made| made == table)
    }

    /// The statement that a line belongs to.
    pub(super) fn statement_at(&self, line: usize) -> Option<&Statement> {
        self.statements.iter().find(|statement| (statement.first_line..=statement.last_line).contains(&line))
    }
}

impl Statement {
    /// Its words from the front, as far as they are these; what follows.
    pub(super) fn after<'a>(&'a self, front: &[&str]) -> Option<&'a [Word]> {
        let (head, rest) = self.words.split_at_checked(front.len())?;
        head.iter().map(|word| word.text.as_str()).eq(front.iter().copied()).then_some(rest)
    }

    /// The line of its first word.
    pub(super) fn line(&self) -> usize {
        self.words.first().map_or(self.first_line, |word| word.line)
    }

    /// The table that it makes.
    fn new_table(&self) -> Option<&str> {
        let rest = self.after(&["create", "table"])?;
        name(skip(rest, &["if", "not", "exists"]))
    }

    /// The table that it changes.
    pub(super) fn table(&self) -> Option<&str> {
        if let Some(rest) = self.after(&["alter", "table"]) {
            return name(skip(skip(rest, &["if", "exists"]), &["only"]));
        }
        if let Some(rest) = self.after(&["drop", "table"]) {
            return name(skip(rest, &["if", "exists"]));
        }
        let is_index =
            self.after(&["create", "index"]).or_else(|| self.after(&["create", "unique", "index"]))?;
        let on = is_index.iter().position(|word| word.text == "on")?;
        name(skip(is_index.get(on + 1..)?, &["only"]))
    }
}

/// What follows these words, where they stand.
pub(super) fn skip<'a>(words: &'a [Word], front: &[&str]) -> &'a [Word] {
    match words.split_at_checked(front.len()) {
        Some((head, rest)) if head.iter().map(|word| word.text.as_str()).eq(front.iter().copied()) => rest,
        _ => words,
    }
}

fn name(words: &[Word]) -> Option<&str> {
    words.first().map(|word| word.text.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_know_their_lines_and_tables() {
        let text = "-- dolmen: no transaction\n\ncreate table a (b int);\n-- Why.\nalter table if exists\n c add d int; \
                    create unique index concurrently e on f (g);";
        let file = File::new("x.sql".to_owned(), Dialect::Postgres, text.to_owned());
        let lines: Vec<_> = file.statements.iter().map(|s| (s.first_line, s.line(), s.last_line)).collect();
        assert_eq!(lines, [(1, 3, 3), (4, 5, 6), (7, 6, 6)]);
        let tables: Vec<_> = file.statements.iter().map(Statement::table).collect();
        assert_eq!(tables, [None, Some("c"), Some("f")]);
        assert!(file.makes("a") && !file.makes("c"));
        assert!(file.is_marked("no transaction") && !file.is_marked("breaks older binaries"));
    }
}
