//! Which migrations are pending, and whether history and binary agree.

use dolmen_ports::{Dialect, ErrorKind, Migration, MigrationSet, PortError, PortResult};

/// A migration that was applied: its name, the checksum of its text, and whether it was marked as breaking what came before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Applied {
    pub(crate) name: String,
    pub(crate) checksum: String,
    pub(crate) breaks_older_binaries: bool,
}

/// The migrations of a set that are still to be applied, after the ones in `applied` (in order of their names).
///
/// A newer binary may have applied more than this one knows: names after the last known one are left alone, so that a
/// rolled-back binary starts, unless one of them is marked as breaking older binaries.
///
/// # Errors
/// `Unsupported` when a migration was not written for the dialect;
/// `Conflict`, naming the file and the fix, when an applied file was changed, taken away or overtaken, or breaks this binary;
/// `InvalidInput` when the set itself is out of order, or a marker of a file is not known.
pub(crate) fn pending(
    set: &MigrationSet,
    applied: &[Applied],
    dialect: Dialect,
) -> PortResult<&'static [Migration]> {
    let known = set.migrations;
    if let Some(migration) = known.iter().find(|migration| !migration.is_for(dialect)) {
        return Err(PortError::new(ErrorKind::Unsupported, "database", "migrate").with_detail(format!(
            "migrate/dialect: {}/{} has no statements for {}; write migrations/{2}/{1}.sql in its crate",
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
                        "migrate/checksum-changed: {} was changed after it was applied; restore it, and put the change into \
                         a new migration",
                        file(set, migration.name, dialect)
                    )));
                }
            }
            None => break,
            Some(migration) => {
                return Err(conflict(format!(
                    "migrate/order: {} stands where the database has {} applied; number it after the last one, and keep \
                     every applied file",
                    file(set, migration.name, dialect),
                    applied.name
                )));
            }
        }
    }
    check_files(set, dialect)?;
    let newer = applied.get(known.len()..).unwrap_or_default();
    if let Some(breaking) = newer.iter().find(|applied| applied.breaks_older_binaries) {
        return Err(conflict(newer_schema(set, &breaking.name, dialect)));
    }
    Ok(known.get(applied.len()..).unwrap_or_default())
}

/// Names are `0001_..`, `0002_..`, without a gap, and markers are known.
fn check_files(set: &MigrationSet, dialect: Dialect) -> PortResult<()> {
    let wrong = |detail| PortError::new(ErrorKind::InvalidInput, "database", "migrate").with_detail(detail);
    for (index, migration) in set.migrations.iter().enumerate() {
        let (number, file) = (format!("{:04}_", index + 1), file(set, migration.name, dialect));
        if !migration.name.starts_with(&number) || migration.name.len() == number.len() {
            return Err(wrong(format!(
                "migrate/order: {file} must be called {number}<what it does>: numbers go up from 0001 without a gap"
            )));
        }
        let markers =
            migration.markers(dialect).map_err(|error| wrong(format!("migrate/marker: {file}, {error}")))?;
        if markers.no_transaction && dialect != Dialect::Postgres {
            return Err(wrong(format!(
                "migrate/marker: {file}: `no transaction` is for PostgreSQL, where some statements need it; remove the line"
            )));
        }
    }
    Ok(())
}

/// What a person reads who started an older version.
fn newer_schema(set: &MigrationSet, breaking: &str, dialect: Dialect) -> String {
    let known = set.migrations.last().map_or("none of them", |migration| migration.name);
    format!(
        "migrate/schema-newer: the database has {} applied, which breaks older versions, and this version knows {} up to \
         {known}; run a version that knows it, or restore a backup from before it",
        file(set, breaking, dialect),
        set.module
    )
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
        Applied { name: name.to_owned(), checksum: checksum(sql), breaks_older_binaries: false }
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
    fn what_breaks_this_binary_is_named_with_its_fix() {
        let breaking = Applied { breaks_older_binaries: true, ..applied("0002_b", "b") };
        let error = plan(&[A], &[applied("0001_a", "a"), breaking.clone()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        let text = error.to_string();
        for part in
            ["migrate/schema-newer", "shop/0002_b", "knows shop up to 0001_a", "run a version that knows it"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(plan(&[A, B], &[applied("0001_a", "a"), breaking]).unwrap().is_empty());
    }

    #[test]
    fn a_marker_that_is_not_known_is_named_with_those_that_are() {
        const TYPO: Migration = Migration::new("0001_a", "-- dolmen: no transactions\na", "a");
        const ELSEWHERE: Migration = Migration::new("0001_a", "-- dolmen: no transaction\na", "a");
        let error = plan(&[TYPO], &[]).unwrap_err().to_string();
        assert!(error.contains("0001_a.sql), line 1") && error.contains("`no transaction`"), "{error}");
        let error = plan(&[ELSEWHERE], &[]).unwrap_err().to_string();
        assert!(error.contains("is for PostgreSQL"), "{error}");
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
