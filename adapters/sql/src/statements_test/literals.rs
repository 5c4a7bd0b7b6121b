//! Finding the literals of `sql!` in Rust sources.

use std::fs;
use std::io;
use std::path::Path;

/// The text of one call, and where it stands.
#[derive(Debug)]
pub(super) struct Literal {
    pub(super) place: String,
    pub(super) text: String,
}

/// The literals of a macro in all sources under a folder. Comments are passed over; the tests at the bottom of a file,
/// which may hold statements that are wrong on purpose, too.
pub(super) fn in_sources(folder: &Path, name: &str) -> io::Result<Vec<Literal>> {
    let mut literals = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let mut entries = fs::read_dir(&folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::path);
        for entry in entries {
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let source = fs::read_to_string(&path)?;
                literals.extend(
                    in_source(&source, name)
                        .into_iter()
                        .map(|(line, text)| Literal { place: format!("{}:{line}", path.display()), text }),
                );
            }
        }
    }
    Ok(literals)
}

/// The literals of one source, with their lines.
fn in_source(source: &str, name: &str) -> Vec<(usize, String)> {
    let source = source.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
    let mut literals = Vec::new();
    for (at, _) in source.match_indices(name) {
        let before = source.get(..at).unwrap_or_default();
        let line = before.rsplit('\n').next().unwrap_or_default();
        // `sql!` is the end of `framework_sql!` too.
        let longer = before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
        if longer || line.contains("//") {
            continue;
        }
        let after = source.get(at + name.len()..).unwrap_or_default().trim_start();
        let argument = after.trim_start_matches(['(', '[', '{']).trim_start();
        if let Some(text) = literal(argument) {
            literals.push((before.matches('\n').count() + 1, text));
        }
    }
    literals
}

/// The string literal at the front of a source, as the compiler reads it.
fn literal(source: &str) -> Option<String> {
    if let Some(raw) = source.strip_prefix('r') {
        let marks = raw.len() - raw.trim_start_matches('#').len();
        let inner = raw.trim_start_matches('#').strip_prefix('"')?;
        let end = inner.find(&format!("\"{}", "#".repeat(marks)))?;
        return inner.get(..end).map(str::to_owned);
    }
    let mut rest = source.strip_prefix('"')?.chars();
    let mut text = String::new();
    loop {
        match rest.next()? {
            '"' => return Some(text),
            '\\' => match rest.next()? {
                // A line that goes on: the white space at the start of the next one does not count.
                '\n' => rest = rest.as_str().trim_start().chars(),
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
}

/// How many `?` stand outside of quotes.
pub(super) fn placeholders(text: &str) -> usize {
    text.split('\'').step_by(2).map(|outside| outside.matches('?').count()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_read_as_the_compiler_reads_them() {
        let source = r#"
            sql!("select 1 where a = '\
                  x'", id).execute(tx);
            // sql!("in a comment")
            let b = sql!(
                r"select 2"
            );
            framework_sql!("not this macro");
            macro_rules! sql { ($text:literal) => {} }
        "#;
        let found = in_source(source, "sql!");
        assert_eq!(found, [(2, "select 1 where a = 'x'".to_owned()), (5, "select 2".to_owned())]);
    }

    #[test]
    fn quoted_question_marks_are_no_placeholders() {
        assert_eq!(placeholders("a = ? and b = '?''?' and c = ?"), 2);
    }
}
