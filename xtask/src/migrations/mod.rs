//! Statements of migrations that lock tables, lose data, or break the version before: before they meet a database.
//!
//! PostgreSQL is checked by squawk, MariaDB and MySQL by rules of our own. SQLite is not checked: one writer has the whole
//! file in any case, a migration of it is undone as a whole, and what breaks the older version stands in the file for
//! PostgreSQL too.

mod exceptions;
mod file;
mod mysql;
mod postgres;
mod words;

use std::path::Path;

use self::file::{Dialect, File};
use crate::failure::Outcome;
use crate::findings::{Findings, Problem};
use crate::workspace::Workspace;

/// Something dangerous.
#[derive(Debug)]
struct Slip {
    line: usize,
    rule: &'static str,
    what: String,
    /// How to write it instead.
    instead: &'static str,
}

/// Checks every migration of the repository.
pub(crate) fn check(workspace: &Workspace) -> Outcome<Findings> {
    let mut findings = Findings::default();
    let mut count = 0;
    for path in workspace.files("", "sql")? {
        let Some(dialect) = dialect_of(&path) else { continue };
        count += 1;
        let file = File::new(path.display().to_string(), dialect, workspace.read(&path)?);
        findings.problems.extend(problems(&file));
    }
    findings.note(format!(
        "{count} migrations for PostgreSQL, MariaDB and MySQL were checked; those for SQLite lock one file in any case"
    ));
    Ok(findings)
}

/// By the folder: `migrations/postgres/0001_x.sql`.
fn dialect_of(path: &Path) -> Option<Dialect> {
    let folder = path.parent()?;
    if folder.parent()?.file_name()? != "migrations" {
        return None;
    }
    match folder.file_name()?.to_str()? {
        "postgres" => Some(Dialect::Postgres),
        "mysql" => Some(Dialect::MySql),
        _ => None,
    }
}

fn problems(file: &File) -> Vec<Problem> {
    let slips = match file.dialect {
        Dialect::Postgres => postgres::check(file),
        Dialect::MySql => mysql::check(file),
    };
    let (slips, mut problems) = exceptions::apply(file, slips);
    problems.extend(slips.into_iter().map(|slip| {
        let Slip { line, rule, what, instead } = slip;
        Problem::new(
            format!("migrate/unsafe [{rule}]: {}:{line}", file.path),
            what,
            format!(
                "{instead}; or write above the statement `-- dolmen: allow {rule}: <why it is safe here>`"
            ),
        )
    }));
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(dialect: Dialect, text: &str) -> Vec<String> {
        let file = File::new("shop/migrations/x/0002_y.sql".to_owned(), dialect, text.to_owned());
        problems(&file).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_slip_says_where_what_instead_and_how_to_allow_it() {
        let told = told(Dialect::Postgres, "-- Why.\nalter table shop_item drop column old;");
        assert_eq!(told.len(), 1);
        for part in [
            "migrate/unsafe [ban-drop-column]: shop/migrations/x/0002_y.sql:2: ",
            "drop the old one in a later release",
            "`-- dolmen: allow ban-drop-column: <why it is safe here>`",
        ] {
            assert!(told[0].contains(part), "{part}: {}", told[0]);
        }
    }

    #[test]
    fn an_exception_covers_its_statement_and_needs_a_reason() {
        let drop = "alter table shop_item drop column old;";
        let allow = "-- dolmen: allow drop-column: no version since 1.4 reads it";
        assert_eq!(told(Dialect::MySql, &format!("{allow}\n{drop}")), [""; 0]);
        let next =
            told(Dialect::MySql, &format!("{allow}\n{drop}\nalter table shop_item drop column older;"));
        assert!(
            next.iter().any(|problem| problem.contains("[drop-column]: shop/migrations/x/0002_y.sql:3")),
            "{next:?}"
        );
        for (line, part) in [
            ("-- dolmen: allow drop-column", "without a reason"),
            ("-- dolmen: allow drop-colum: unused", "did you mean `drop-column`?"),
            ("-- dolmen: allow rename: unused", "nothing breaks `rename` below it"),
        ] {
            let told = told(Dialect::MySql, &format!("{line}\n{drop}"));
            assert!(told.len() == 2 && told[0].contains(part), "{line}: {told:?}");
        }
    }

    #[test]
    fn files_are_known_by_their_folder() {
        assert_eq!(dialect_of(Path::new("a/migrations/postgres/0001_a.sql")), Some(Dialect::Postgres));
        assert_eq!(dialect_of(Path::new("a/migrations/mysql/0001_a.sql")), Some(Dialect::MySql));
        assert_eq!(dialect_of(Path::new("a/migrations/sqlite/0001_a.sql")), None);
        assert_eq!(dialect_of(Path::new("a/postgres/0001_a.sql")), None);
    }
}
