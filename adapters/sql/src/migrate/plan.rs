//! Which migrations are pending, and whether history and binary agree.

use dolmen_ports::{Dialect, ErrorKind, Migration, MigrationSet, PortError, PortResult};

/// A migration that was applied: its name and the checksum of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) name: String,
    pub(crate) checksum: String,
}

/// The migrations of a set that are still to be applied, after the ones in `applied` (in order of their names).
///
/// A newer binary may have applied more than this one knows: names after the last known one are left alone, so that a
/// rolled-back binary starts.
///
/// # Errors
/// `Unsupported` when a migration was not written for the dialect;
/// `Conflict`, naming the file and the fix, when an applied file was changed, taken away or overtaken;
/// `InvalidInput` when the set itself is out of order.
pub(crate) fn pending(
    set: &MigrationSet,
    applied: &[Applied],
    dialect: Dialect,
) -> PortResult<&'static [Migration]> {
    let known = set.migrations;
    if let Some(migration) = known.iter().find(|migration| !migration.is_for(dialect)) {
        return Err(PortError::new(ErrorKind::Unsupported, "database", "migrate").with_detail(format!(
            "{}/{} has no statements for {}; write migrations/{2}/{1}.sql in its crate",
            set.module,
            migration.name,
            dialect.name()
        )));
    }
    for (index, applied) in applied.iter().enumerate() {
        match known.get(index) {
            Some(migration) if migration.name == applied.name => {
                if checksum(migration.sql(dialect)) != applied.checksum {
                    return Err(conflict(format!(
                        "{} was changed after it was applied; restore it, and put the change into a new migration",
                        file(set, migration.name, dialect)
                    )));
                }
            }
            None => break,
            Some(migration) => {
                return Err(conflict(format!(
                    "{} stands where the database has {} applied; number it after the last one, and keep every applied \
                     file",
                    file(set, migration.name, dialect),
                    applied.name
                )));
            }
        }
    }
    check_order(set, dialect)?;
    Ok(known.get(applied.len()..).unwrap_or_default())
}

/// Names are `0001_..`, `0002_..`, without a gap.
fn check_order(set: &MigrationSet, dialect: Dialect) -> PortResult<()> {
    for (index, migration) in set.migrations.iter().enumerate() {
        let number = format!("{:04}_", index + 1);
        if !migration.name.starts_with(&number) || migration.name.len() == number.len() {
            return Err(PortError::new(ErrorKind::InvalidInput, "database", "migrate").with_detail(format!(
                "{} must be called {number}<what it does>: numbers go up from 0001 without a gap",
                file(set, migration.name, dialect)
            )));
        }
    }
    Ok(())
}

fn file(set: &MigrationSet, name: &str, dialect: Dialect) -> String {
    format!("{}/{name} (migrations/{}/{name}.sql)", set.module, dialect.name())
}

fn conflict(detail: String) -> PortError {
    PortError::new(ErrorKind::Conflict, "database", "migrate").with_detail(detail)
}

/// FNV-1a of 64 bits: it notices an edit, and need not withstand an attack. Line ends do not count.
pub(crate) fn checksum(text: &str) -> String {
    let bytes = text.bytes().filter(|byte| *byte != b'\r');
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use dolmen_ports::ModuleName;

    use super::*;

    const A: Migration = Migration::new("0001_a", "a", "a");
    const B: Migration = Migration::new("0002_b", "b", "b");
    const SHOP: ModuleName = ModuleName::new("shop");

    fn applied(name: &str, sql: &str) -> Applied {
        Applied { name: name.to_owned(), checksum: checksum(sql) }
    }

    fn plan(migrations: &'static [Migration], applied: &[Applied]) -> PortResult<Vec<&'static str>> {
        let set = MigrationSet::new(SHOP, migrations);
        Ok(pending(&set, applied, Dialect::Sqlite)?.iter().map(|migration| migration.name).collect())
    }

    #[test]
    fn what_is_not_applied_is_pending() {
        assert_eq!(plan(&[A, B], &[]).unwrap(), ["0001_a", "0002_b"]);
        assert_eq!(plan(&[A, B], &[applied("0001_a", "a")]).unwrap(), ["0002_b"]);
    }

    #[test]
    fn what_a_newer_binary_applied_is_left_alone() {
        assert!(plan(&[A], &[applied("0001_a", "a"), applied("0002_b", "b")]).unwrap().is_empty());
    }

    #[test]
    fn a_changed_file_is_named_with_its_fix() {
        let error = plan(&[A], &[applied("0001_a", "edited")]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let text = error.to_string();
        assert!(
            text.contains("shop/0001_a (migrations/sqlite/0001_a.sql)") && text.contains("restore"),
            "{text}"
        );
    }

    #[test]
    fn an_overtaken_file_is_named_with_its_fix() {
        const LATE: Migration = Migration::new("0001_late", "l", "l");
        let error = plan(&[LATE, B], &[applied("0001_a", "a")]).unwrap_err().to_string();
        assert!(error.contains("0001_late.sql") && error.contains("0001_a"), "{error}");
    }

    #[test]
    fn a_gap_is_named_with_the_number_that_is_missing() {
        let error = plan(&[B], &[]).unwrap_err().to_string();
        assert!(error.contains("0002_b.sql") && error.contains("0001_<"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        const SPOKEN: Migration = Migration::new("0001_a", "a", "a").with_mysql("a");
        assert_eq!(pending(&MigrationSet::new(SHOP, &[SPOKEN]), &[], Dialect::MySql).unwrap(), [SPOKEN]);
        let error = pending(&MigrationSet::new(SHOP, &[A, B]), &[], Dialect::MySql).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        let text = error.to_string();
        assert!(text.contains("shop/0001_a") && text.contains("write migrations/mysql/0001_a.sql"), "{text}");
    }

    #[test]
    fn line_ends_do_not_count() {
        assert_eq!(checksum("a\r\nb"), checksum("a\nb"));
        assert_ne!(checksum("a\nb"), checksum("ab"));
    }
}
