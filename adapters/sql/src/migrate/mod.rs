//! Applying migrations: one process at a time, each migration in a transaction of its own together with its row;
//! on the MySQL family, which has no such transaction, statement by statement.

#[cfg(feature = "mysql")]
mod mysql;
mod plan;

use std::time::Duration;

use dolmen_ports::{Dialect, ErrorKind, MigrationReport, MigrationSet, PortError, PortResult, TxDriver};
use tokio::time::Instant;

use self::plan::{Applied, checksum, pending};
use crate::database::SqlTx;
use crate::driver::{Backend, Mode};
use crate::statement::{FromRow, framework_sql};

/// The table of what was applied. It is made on the first run, outside of any set, because sets are recorded in it.
const TABLE_IN_SQLITE: &str = "create table if not exists dolmen_migration (
    module text not null,
    name text not null,
    checksum text not null,
    applied_at text not null,
    primary key (module, name)
) strict, without rowid";
const TABLE_IN_POSTGRES: &str = "create table if not exists dolmen_migration (
    module text not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null,
    primary key (module, name)
)";

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
            Err(error) if error.kind() == ErrorKind::Contention && tries < MOST_TRIES => tries += 1,
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
    let table = has_table(tx).await?;
    let mut names = Vec::new();
    for set in sets {
        let applied = if table { applied(tx, set).await? } else { Vec::new() };
        let pending = pending(set, &applied, dialect)?;
        names.extend(pending.iter().map(|migration| format!("{}/{}", set.module, migration.name)));
    }
    Ok(names)
}

/// Applies what is pending; waits at most `limit` for another process that does the same.
pub(crate) async fn run(
    backend: &dyn Backend,
    sets: &[MigrationSet],
    limit: Duration,
) -> PortResult<MigrationReport> {
    let total: usize = sets.iter().map(|set| set.migrations.len()).sum();
    let mut names = Vec::new();
    if !pending_names(backend, sets).await?.is_empty() {
        names = match backend.dialect() {
            #[cfg(feature = "mysql")]
            Dialect::MySql => mysql::run(backend, sets, limit).await?,
            _ => apply_all(backend, sets, limit).await?,
        };
    }
    let already = total.saturating_sub(names.len());
    Ok(MigrationReport::new(names, already))
}

async fn apply_all(backend: &dyn Backend, sets: &[MigrationSet], limit: Duration) -> PortResult<Vec<String>> {
    let mut names = Vec::new();
    for set in sets {
        while let Some(name) = apply_next(backend, set, limit).await? {
            tracing::info!(migration = name, "migration applied");
            names.push(name);
        }
    }
    Ok(names)
}

/// Applies the next migration of a set. What is next is read under the lock, so two runners never apply the same one.
async fn apply_next(
    backend: &dyn Backend,
    set: &MigrationSet,
    limit: Duration,
) -> PortResult<Option<String>> {
    let mut tx = lock(backend, limit).await?;
    match apply_next_in(&mut tx, set).await {
        Ok(name) => {
            Box::new(tx).commit().await?;
            Ok(name)
        }
        Err(error) => {
            drop(Box::new(tx).rollback().await);
            Err(error)
        }
    }
}

async fn apply_next_in(tx: &mut SqlTx, set: &MigrationSet) -> PortResult<Option<String>> {
    let dialect = tx.dialect();
    if !has_table(tx).await? {
        tx.run_script(match dialect {
            Dialect::Sqlite => TABLE_IN_SQLITE,
            _ => TABLE_IN_POSTGRES,
        })
        .await?;
    }
    let applied = applied(tx, set).await?;
    let Some(migration) = pending(set, &applied, dialect)?.first() else { return Ok(None) };
    let sql = migration.sql(dialect);
    let name = format!("{}/{}", set.module, migration.name);
    tx.run_script(sql).await.map_err(|error| failed(&name, error))?;
    framework_sql!(
        "insert into dolmen_migration (module, name, checksum, applied_at) values (?, ?, ?, {now})",
        set.module.as_str(),
        migration.name,
        checksum(sql)
    )
    .execute_in(tx)
    .await?;
    Ok(Some(name))
}

fn failed(name: &str, error: PortError) -> PortError {
    PortError::new(error.kind(), "database", "migrate")
        .with_detail(format!(
            "migration {name} failed and was rolled back; mend its file and run migrate again"
        ))
        .with_source(error)
}

/// Opens a transaction that holds the migration lock, which ends with the transaction: no lock outlives a killed process.
async fn lock(backend: &dyn Backend, limit: Duration) -> PortResult<SqlTx> {
    let deadline = Instant::now() + limit;
    loop {
        match backend.open(Mode::Write).await {
            Ok(mut session) => {
                if backend.lock_migrations(&mut *session).await? {
                    return Ok(SqlTx::new(session, None));
                }
                session.rollback().await?;
            }
            Err(error) if error.kind() == ErrorKind::Contention => {}
            Err(error) => return Err(error),
        }
        wait_for_lock(deadline, limit).await?;
    }
}

/// Waits before the lock is tried again, unless its time is over.
async fn wait_for_lock(deadline: Instant, limit: Duration) -> PortResult<()> {
    if Instant::now() >= deadline {
        return Err(PortError::new(ErrorKind::Timeout, "database", "migrate").with_detail(format!(
            "another process held the migration lock for {limit:?}; see whether its run hangs, then try again"
        )));
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    Ok(())
}

async fn has_table(tx: &mut SqlTx) -> PortResult<bool> {
    let rows = tx
        .fetch(
            match tx.dialect() {
                Dialect::Sqlite => {
                    "select 1 from sqlite_master where type = 'table' and name = 'dolmen_migration'"
                }
                Dialect::MySql => {
                    "select 1 from information_schema.tables
                     where table_schema = database() and table_name = 'dolmen_migration'"
                }
                _ => "select 1 where to_regclass('dolmen_migration') is not null",
            },
            &[],
        )
        .await?;
    Ok(!rows.is_empty())
}

async fn applied(tx: &mut SqlTx, set: &MigrationSet) -> PortResult<Vec<Applied>> {
    let rows = framework_sql!(
        "select name, checksum from dolmen_migration where module = ? order by name",
        set.module.as_str()
    )
    .fetch_in(tx)
    .await?;
    rows.iter()
        .map(|row| {
            let (name, checksum) = FromRow::from_row(row)?;
            Ok(Applied { name, checksum })
        })
        .collect()
}
