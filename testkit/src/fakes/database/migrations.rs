//! Which migrations were applied. The fake runs no statement, but keeps the rules of the record.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use dolmen_ports::{
    Dialect, ErrorKind, Migration, MigrationReport, MigrationSet, ModuleName, PortError, PortResult,
};

/// The record of applied migrations.
#[derive(Debug, Default)]
pub(super) struct MigrationLog {
    applied: Mutex<BTreeMap<(ModuleName, &'static str), Migration>>,
}

impl MigrationLog {
    /// Records what is pending.
    pub(super) fn apply(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
        let mut applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = pending(&applied, sets)?;
        let all: usize = sets.iter().map(|set| set.migrations.len()).sum();
        let names: Vec<String> = pending.iter().map(|(module, migration)| name(*module, migration)).collect();
        applied.extend(pending.into_iter().map(|(module, migration)| ((module, migration.name), migration)));
        let already = all.saturating_sub(names.len());
        Ok(MigrationReport::new(names, already))
    }

    /// What `apply` would record.
    pub(super) fn pending(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
        let applied = self.applied.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = pending(&applied, sets)?;
        Ok(pending.iter().map(|(module, migration)| name(*module, migration)).collect())
    }
}

fn pending(
    applied: &BTreeMap<(ModuleName, &'static str), Migration>,
    sets: &[MigrationSet],
) -> PortResult<Vec<(ModuleName, Migration)>> {
    let mut pending = Vec::new();
    for set in sets {
        if let Some((_, newer)) = applied.iter().find(|((module, name), migration)| {
            *module == set.module
                && set.migrations.iter().all(|known| known.name != *name)
                && migration.markers(Dialect::Sqlite).is_ok_and(|markers| markers.breaks_older_binaries)
        }) {
            let detail = format!(
                "migrate/schema-newer: {} breaks older versions; run one that has it",
                name(set.module, newer)
            );
            return Err(PortError::new(ErrorKind::Conflict, "database", "migrate").with_detail(detail));
        }
        let mut first_pending = None;
        for migration in set.migrations {
            match applied.get(&(set.module, migration.name)) {
                Some(known) if known != migration => {
                    return Err(conflict(set.module, migration, "was edited after it was applied"));
                }
                Some(_) if first_pending.is_some() => {
                    return Err(conflict(set.module, migration, "was applied, but one before it was not"));
                }
                Some(_) => {}
                None => {
                    first_pending = Some(migration);
                    pending.push((set.module, *migration));
                }
            }
        }
    }
    Ok(pending)
}

fn name(module: ModuleName, migration: &Migration) -> String {
    format!("{module}/{}", migration.name)
}

fn conflict(module: ModuleName, migration: &Migration, rule: &str) -> PortError {
    PortError::new(ErrorKind::Conflict, "database", "migrate")
        .with_detail(format!("migration {} {rule}; add another one", name(module, migration)))
}
