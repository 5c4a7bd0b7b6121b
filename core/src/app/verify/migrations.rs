//! The names, numbers and markers of migrations, those of adapters included.

use dolmen_ports::{Dialect, Migration, MigrationMarkers, MigrationSet, ModuleName, UnknownMarker};

use crate::app::violation::Violation;
use crate::config::suggestion::closest;
use crate::registrar::Registration;

pub(super) fn check(registrations: &[Registration], of_adapters: &[MigrationSet]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for registration in registrations {
        let module = registration.module;
        let set = &registration.migrations;
        if set.module != module {
            violations.push(Violation::ForeignMigrations { module, set: set.module });
        }
        if of_adapters.iter().any(|adapter| adapter.module == module) {
            violations.push(Violation::ReservedModuleName { module });
        }
        violations.extend(wrong_number(module, set));
        violations.extend(wrong_markers(module, set));
    }
    for set in of_adapters {
        violations.extend(wrong_number(set.module, set));
        violations.extend(wrong_markers(set.module, set));
    }
    violations
}

/// The first migration that is out of order; those after it would only repeat it.
fn wrong_number(module: ModuleName, set: &MigrationSet) -> Option<Violation> {
    set.migrations.iter().enumerate().find_map(|(index, migration)| {
        let expected = format!("{:04}", index + 1);
        let what = migration.name.strip_prefix(&expected).and_then(|rest| rest.strip_prefix('_'));
        let migration = migration.name;
        what.is_none_or(str::is_empty).then_some(Violation::MigrationNumber { module, migration, expected })
    })
}

fn wrong_markers(module: ModuleName, set: &MigrationSet) -> impl Iterator<Item = Violation> {
    let wrong = move |migration: &Migration, dialect: Dialect, reason: String| Violation::MigrationMarker {
        module,
        migration: migration.name,
        dialect: dialect.name(),
        reason,
    };
    set.migrations.iter().flat_map(move |migration| {
        let dialects = [Dialect::Sqlite, Dialect::Postgres, Dialect::MySql];
        let written = dialects.into_iter().filter(|dialect| migration.is_for(*dialect));
        let breaks = |dialect| migration.markers(dialect).map(|markers| markers.breaks_older_binaries);
        let breaks_in_sqlite = breaks(Dialect::Sqlite);
        written.filter_map(move |dialect| match (migration.markers(dialect), &breaks_in_sqlite) {
            (Err(error), _) => Some(wrong(migration, dialect, explained(&error))),
            (Ok(markers), _) if markers.no_transaction && dialect != Dialect::Postgres => Some(wrong(
                migration,
                dialect,
                "`-- dolmen: no transaction` is for PostgreSQL, where some statements need it; remove the line".to_owned(),
            )),
            (Ok(markers), Ok(breaks)) if markers.breaks_older_binaries != *breaks => Some(wrong(
                migration,
                dialect,
                "`-- dolmen: breaks older binaries` stands in the file of one dialect and not in that of another; write \
                 it into all of them"
                    .to_owned(),
            )),
            _ => None,
        })
    })
}

fn explained(error: &UnknownMarker<'_>) -> String {
    match closest(error.text, MigrationMarkers::KNOWN.into_iter()).filter(|_| !error.late) {
        Some(meant) => format!("{error}; did you mean `{meant}`?"),
        None => error.to_string(),
    }
}
