//! Where migrations run: on the server itself, never through a pooler.

use dolmen_ports::{ErrorKind, MigrationReport, MigrationSet, PortError, PortResult};

use super::{DatabaseUrl, SqlDatabase, SqlOptions};
use crate::driver::Backend;
use crate::migrate;

const MAIN: &str = "DATABASE_URL";
const DIRECT: &str = "DATABASE_MIGRATION_URL";

/// The URL for migrations, if there is one: whether it can be one for this database.
pub(super) fn checked(main: &DatabaseUrl, options: &SqlOptions) -> PortResult<()> {
    let Some(direct) = &options.migration_url else { return Ok(()) };
    let checked = DatabaseUrl::parse(direct.reveal()).and_then(|direct| main.check_migrations(Some(&direct)));
    checked.map_err(|error| wrong("connect", &error.to_string()))
}

/// Applies what is pending: by the URL for migrations if there is one, else where everything else runs.
pub(super) async fn run(database: &SqlDatabase, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
    let (main, options) = (&*database.0.backend, &database.0.options);
    let Some(direct) = &options.migration_url else { return apply(main, sets, options, MAIN).await };
    let url = DatabaseUrl::parse(direct.reveal()).map_err(|error| wrong("migrate", &error.to_string()))?;
    let backend = SqlDatabase::backend_of(&url, options).await.map_err(|error| {
        let detail = error.detail().unwrap_or("it cannot be opened").to_owned();
        PortError::new(error.kind(), "database", "migrate")
            .with_detail(format!("{DIRECT}: {detail}"))
            .with_source(error)
    })?;
    let report = apply(&*backend, sets, options, DIRECT).await;
    backend.close().await;
    let report = report?;
    meets(main, sets).await?;
    Ok(report)
}

async fn apply(
    backend: &dyn Backend,
    sets: &[MigrationSet],
    options: &SqlOptions,
    variable: &str,
) -> PortResult<MigrationReport> {
    if backend.is_pooled() {
        // Said each time, not only when something is pending: else it would be found out on the day of a release.
        return Err(PortError::new(ErrorKind::Unsupported, "database", "migrate").with_detail(format!(
            "{variable} leads through a pooler in transaction mode, and migrations need the server itself; set {DIRECT} \
             to a URL without the pooler (or say pgbouncer=false in the URL when there is none)"
        )));
    }
    migrate::run(backend, sets, options).await
}

/// Looks whether both URLs name the same database.
async fn meets(main: &dyn Backend, sets: &[MigrationSet]) -> PortResult<()> {
    let pending = migrate::pending_names(main, sets).await.map_err(|error| {
        let detail =
            format!("the schema is up to date, but the user of {MAIN} cannot read it; grant it the tables");
        PortError::new(error.kind(), "database", "migrate").with_detail(detail).with_source(error)
    })?;
    if pending.is_empty() {
        return Ok(());
    }
    Err(wrong(
        "migrate",
        &format!("the schema is up to date there, but not behind {MAIN}; set both to the same database"),
    ))
}

fn wrong(operation: &'static str, rule: &str) -> PortError {
    PortError::new(ErrorKind::InvalidInput, "database", operation).with_detail(format!("{DIRECT}: {rule}"))
}
