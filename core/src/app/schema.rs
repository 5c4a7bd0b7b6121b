//! The schema at start-up: applied by the process itself, or waited for.

use std::time::Duration;

use dolmen_ports::{Database, ErrorKind, MigrationReport, MigrationSet, PortError};

use crate::operations::{SchemaState, Status};

/// Brings the schema up to date.
pub(super) async fn migrate(
    database: &Database,
    sets: &[MigrationSet],
    status: &Status,
) -> Result<MigrationReport, PortError> {
    let report = database.migrate(sets).await?;
    tracing::info!(applied = report.applied.len(), already = report.already, "schema is up to date");
    status.change(|snapshot| snapshot.schema = SchemaState::UpToDate);
    Ok(report)
}

/// Waits until somebody else has brought the schema up to date. Says what is missing once per change of it.
pub(super) async fn wait_until_migrated(
    database: &Database,
    sets: &[MigrationSet],
    status: &Status,
    poll: Duration,
) {
    loop {
        let seen = look(database, sets).await;
        let is_news = status.snapshot().schema != seen;
        status.change(|snapshot| snapshot.schema = seen.clone());
        match &seen {
            SchemaState::UpToDate => return,
            SchemaState::Pending { reason, .. } | SchemaState::Incompatible { reason } if is_news => {
                tracing::warn!("{reason}");
            }
            SchemaState::Unavailable { reason } if is_news => {
                tracing::warn!(reason, "waiting for the database");
            }
            _ => {}
        }
        tokio::time::sleep(poll).await;
    }
}

async fn look(database: &Database, sets: &[MigrationSet]) -> SchemaState {
    match database.pending_migrations(sets).await {
        Ok(pending) if pending.is_empty() => SchemaState::UpToDate,
        Ok(migrations) => SchemaState::Pending { reason: not_migrated(sets, &migrations), migrations },
        // A newer schema that breaks this version, or a changed history: only other files or another version help.
        Err(error) if error.kind() == ErrorKind::Conflict => SchemaState::Incompatible {
            reason: error.detail().map_or_else(|| error.to_string(), str::to_owned),
        },
        Err(error) => SchemaState::Unavailable { reason: error.to_string() },
    }
}

/// What a person reads who forgot the role `migrate`: what is there, what this version needs, and the fix.
fn not_migrated(sets: &[MigrationSet], pending: &[String]) -> String {
    let behind: Vec<String> = sets.iter().filter_map(|set| behind(set, pending)).collect();
    let first = behind.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let more = match behind.len().saturating_sub(NAMED) {
        0 => String::new(),
        count => format!(", and {count} more modules are behind"),
    };
    let count = pending.len();
    format!(
        "db/not-migrated: {first}{more}; {count} pending; run role migrate (APP_ROLE=migrate) with this version"
    )
}

/// How many modules are named.
const NAMED: usize = 3;

/// Where a module is and what it needs, when it is behind.
fn behind(set: &MigrationSet, pending: &[String]) -> Option<String> {
    let is_pending = |name: &str| {
        pending.iter().any(|pending| pending.split_once('/') == Some((set.module.as_str(), name)))
    };
    let needed = set.migrations.last().filter(|last| is_pending(last.name))?;
    let found = set.migrations.iter().rev().find(|migration| !is_pending(migration.name));
    let found = found.map_or("no version", |migration| migration.name);
    Some(format!("schema of {} is at {found}, need {}", set.module, needed.name))
}

#[cfg(test)]
mod tests {
    use dolmen_ports::{Migration, ModuleName};

    use super::*;

    #[test]
    fn what_is_behind_is_named_with_what_it_needs() {
        const TWO: &[Migration] = &[Migration::new("0001_a", "", ""), Migration::new("0002_b", "", "")];
        let set = |name| MigrationSet::new(ModuleName::new(name), TWO);
        let pending = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let text = not_migrated(
            &[set("shop"), set("bills"), MigrationSet::none(ModuleName::new("none"))],
            &pending(&["shop/0002_b", "bills/0001_a", "bills/0002_b"]),
        );
        assert_eq!(
            text,
            "db/not-migrated: schema of shop is at 0001_a, need 0002_b, schema of bills is at no version, need 0002_b; 3 \
             pending; run role migrate (APP_ROLE=migrate) with this version"
        );
        let sets: Vec<_> = ["a", "b", "c", "d", "e"].map(set).to_vec();
        let names: Vec<String> = sets.iter().map(|set| format!("{}/0002_b", set.module)).collect();
        assert!(not_migrated(&sets, &names).contains("and 2 more modules are behind"));
    }
}
