//! The schema at start-up: applied by the process itself, or waited for.

use std::time::Duration;

use dolmen_ports::{Database, MigrationReport, MigrationSet, PortError};

use crate::operations::{SchemaState, Status, not_migrated};

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
            SchemaState::Pending { migrations } if is_news => tracing::warn!("{}", not_migrated(migrations)),
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
        Ok(migrations) => SchemaState::Pending { migrations },
        Err(error) => SchemaState::Unavailable { reason: error.to_string() },
    }
}
