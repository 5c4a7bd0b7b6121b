//! Applying migrations: one process at a time, each migration in a transaction of its own together with its row; where
//! no transaction can hold a migration, statement by statement.

mod lock;
mod plan;
#[cfg(feature = "postgres")]
mod postgres;
mod refusal;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod stepwise;
mod tables;
mod whole;

use dolmen_ports::{MigrationReport, MigrationSet, PortResult, TxDriver};

use self::plan::{Applied, pending};
use crate::database::{SqlOptions, SqlTx};
use crate::driver::{Backend, Mode};
use crate::statement::{FromRow, framework_sql};

/// How often a look at what is pending is taken anew; each comes after the change that was in the way of the last.
const MOST_TRIES: u32 = 10;

/// The framework's own tables: jobs, schedules, inbox, sessions, audit. Put it before the sets of the modules.
pub const MIGRATIONS: MigrationSet =
    dolmen_ports::migrations!(dolmen_ports::ModuleName::new("dolmen"), "0001_dolmen");

/// What is pending, as `module/0001_name`, in order. Reads only.
pub(crate) async fn pending_names(backend: &dyn Backend, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
    let mut tries = 1;
    loop {
        match read_pending(backend, sets).await {
            // Another process migrates: on the MySQL family a snapshot cannot read a table that was made after it.
            Err(error) if error.kind() == dolmen_ports::ErrorKind::Contention && tries < MOST_TRIES => {
                tries += 1;
            }
            result => return result,
        }
    }
}

async fn read_pending(backend: &dyn Backend, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
    let mut tx = SqlTx::new(backend.open(Mode::Read).await?, None);
    let names = names_in(&mut tx, sets).await;
    drop(Box::new(tx).rollback().await);
    names
}

async fn names_in(tx: &mut SqlTx, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
    let dialect = tx.dialect();
    let table = tables::are_there(tx).await?;
    let mut names = Vec::new();
    for set in sets {
        let applied = if table { applied(tx, set).await? } else { Vec::new() };
        let pending = pending(set, &applied, dialect)?;
        names.extend(pending.iter().map(|migration| format!("{}/{}", set.module, migration.name)));
    }
    Ok(names)
}

/// Applies what is pending.
pub(crate) async fn run(
    backend: &dyn Backend,
    sets: &[MigrationSet],
    options: &SqlOptions,
) -> PortResult<MigrationReport> {
    let total: usize = sets.iter().map(|set| set.migrations.len()).sum();
    let mut names = Vec::new();
    if !pending_names(backend, sets).await?.is_empty() {
        names = match backend.dialect() {
            #[cfg(feature = "mysql")]
            dolmen_ports::Dialect::MySql => stepwise::run(backend, sets, options).await?,
            _ => whole::run(backend, sets, options).await?,
        };
    }
    let already = total.saturating_sub(names.len());
    Ok(MigrationReport::new(names, already))
}

async fn applied(tx: &mut SqlTx, set: &MigrationSet) -> PortResult<Vec<Applied>> {
    let rows = framework_sql!(
        "select name, checksum, breaks_older_binaries from dolmen_migration where module = ? order by name",
        set.module.as_str()
    )
    .fetch_in(tx)
    .await?;
    rows.iter()
        .map(|row| {
            let (name, checksum, breaks_older_binaries) = FromRow::from_row(row)?;
            Ok(Applied { name, checksum, breaks_older_binaries })
        })
        .collect()
}
