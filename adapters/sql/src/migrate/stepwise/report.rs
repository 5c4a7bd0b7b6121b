//! What a run says that stopped in the middle of a migration.

use dolmen_ports::{Dialect, ErrorKind, Migration, MigrationSet, PortError};

use super::script::title;

/// A migration and its statements.
#[derive(Debug)]
pub(super) struct Report<'a> {
    pub(super) set: &'a MigrationSet,
    pub(super) migration: &'a Migration,
    pub(super) dialect: Dialect,
    pub(super) statements: &'a [&'static str],
}

impl Report<'_> {
    pub(super) fn name(&self) -> String {
        format!("{}/{}", self.set.module, self.migration.name)
    }

    fn file(&self) -> String {
        format!("migrations/{}/{}.sql", self.dialect.name(), self.migration.name)
    }

    /// The statements that are committed are not those of the file any more.
    pub(super) fn changed(&self, committed: usize) -> PortError {
        PortError::new(ErrorKind::Conflict, "database", "migrate").with_detail(format!(
            "migrate/half-applied: migration {} is half applied, and its first {committed} statements were changed since \
             they were committed; restore them in {}, change only those after them, and run migrate again",
            self.name(),
            self.file()
        ))
    }

    /// The statement at `index` failed.
    pub(super) fn failed(&self, index: usize, error: PortError) -> PortError {
        let titles = |statements: &[&'static str]| {
            statements.iter().map(|statement| title(statement, self.dialect)).collect::<Vec<_>>().join(", ")
        };
        let (code, committed) = match self.statements.get(..index) {
            None | Some([]) => ("migrate/failed", "nothing".to_owned()),
            Some(committed) => ("migrate/half-applied", titles(committed)),
        };
        // The reason stands in the log with the source; what is in the way of a lock holds nothing secret.
        let reason = match error.detail() {
            Some(detail) if detail.starts_with("migrate/") => format!(" ({detail})"),
            _ => String::new(),
        };
        PortError::new(error.kind(), "database", "migrate")
            .with_detail(format!(
                "{code}: migration {} failed after {index} of {} statements; already committed: {committed}; failed: \
                 {}{reason}; fix: mend the rest of {}, leave what is committed as it is, and run migrate again, which goes \
                 on with statement {}",
                self.name(),
                self.statements.len(),
                titles(self.statements.get(index..=index).unwrap_or_default()),
                self.file(),
                index + 1
            ))
            .with_source(error)
    }
}
