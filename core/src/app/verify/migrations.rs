//! The names and numbers of migrations, those of adapters included.

use dolmen_ports::{MigrationSet, ModuleName};

use crate::app::violation::Violation;
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
    }
    violations.extend(of_adapters.iter().filter_map(|set| wrong_number(set.module, set)));
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
