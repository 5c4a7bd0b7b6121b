//! The numbers of migrations.

use crate::app::violation::Violation;
use crate::registrar::Registration;

pub(super) fn check(registrations: &[Registration]) -> Vec<Violation> {
    let mut violations = Vec::new();
    for registration in registrations {
        let module = registration.module;
        let set = registration.migrations;
        if set.module != module {
            violations.push(Violation::ForeignMigrations { module, set: set.module });
        }
        // The first one that is out of order; those after it would only repeat it.
        let wrong = set.migrations.iter().enumerate().find_map(|(index, migration)| {
            let expected = format!("{:04}", index + 1);
            let what = migration.name.strip_prefix(&expected).and_then(|rest| rest.strip_prefix('_'));
            what.is_none_or(str::is_empty).then_some((migration.name, expected))
        });
        violations.extend(wrong.map(|(migration, expected)| Violation::MigrationNumber {
            module,
            migration,
            expected,
        }));
    }
    violations
}
