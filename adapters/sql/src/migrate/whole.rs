//! Migrations as a whole: the statements and the record in one transaction.

use dolmen_ports::{Migration, MigrationMarkers, MigrationSet, PortError, PortResult, TxDriver};

use super::plan::pending;
use super::refusal::{Patience, is_refusal};
use super::{applied, lock, tables};
use crate::database::{SqlOptions, SqlTx};
use crate::driver::Backend;

/// Applies what is pending of all sets; returns its names.
pub(super) async fn run(
    backend: &dyn Backend,
    sets: &[MigrationSet],
    options: &SqlOptions,
) -> PortResult<Vec<String>> {
    let mut tx = lock::in_transaction(backend, options.migration_lock_timeout).await?;
    if !tables::are_there(&mut tx).await? {
        tables::make(&mut tx).await?;
    }
    Box::new(tx).commit().await?;
    let mut names = Vec::new();
    for set in sets {
        while let Some(migration) = apply_next(backend, set, options).await? {
            let name = format!("{}/{}", set.module, migration.name);
            tracing::info!(migration = name, "migration applied");
            names.push(name);
        }
    }
    Ok(names)
}

/// Applies the next migration of a set, as often as its locks are refused.
async fn apply_next(
    backend: &dyn Backend,
    set: &MigrationSet,
    options: &SqlOptions,
) -> PortResult<Option<&'static Migration>> {
    let mut patience = Patience::new(options);
    loop {
        match try_next(backend, set, options).await? {
            Tried::Nothing => return Ok(None),
            Tried::Applied(migration) => return Ok(Some(migration)),
            Tried::Refused { name, blockers, error } => patience.wait(&name, &blockers, error).await?,
        }
    }
}

enum Tried {
    Nothing,
    Applied(&'static Migration),
    Refused { name: String, blockers: String, error: PortError },
}

/// What is next is read under the lock, so two runners never apply the same one.
async fn try_next(backend: &dyn Backend, set: &MigrationSet, options: &SqlOptions) -> PortResult<Tried> {
    let mut tx = lock::in_transaction(backend, options.migration_lock_timeout).await?;
    let dialect = tx.dialect();
    let known = applied(&mut tx, set).await?;
    let Some(migration) = pending(set, &known, dialect)?.first() else { return Ok(Tried::Nothing) };
    let sql = migration.sql(dialect);
    #[cfg(feature = "postgres")]
    if MigrationMarkers::read(sql).is_ok_and(|markers| markers.no_transaction) {
        super::postgres::apply_apart(backend, tx, set, migration, options).await?;
        return Ok(Tried::Applied(migration));
    }
    #[cfg(not(feature = "postgres"))]
    let _ = MigrationMarkers::read(sql);
    let (result, blockers) = apply(backend, &mut tx, set, migration, options).await;
    let name = format!("{}/{}", set.module, migration.name);
    match result {
        Ok(()) => {
            Box::new(tx).commit().await?;
            Ok(Tried::Applied(migration))
        }
        Err(error) => {
            drop(Box::new(tx).rollback().await);
            if is_refusal(&error) {
                return Ok(Tried::Refused { name, blockers, error });
            }
            Err(PortError::new(error.kind(), "database", "migrate")
                .with_detail(format!(
                    "migrate/failed: migration {name} failed and was rolled back; mend its file and run migrate again"
                ))
                .with_source(error))
        }
    }
}

/// Applies a migration; also says who was in its way.
#[cfg(feature = "postgres")]
async fn apply(
    backend: &dyn Backend,
    tx: &mut SqlTx,
    set: &MigrationSet,
    migration: &Migration,
    options: &SqlOptions,
) -> (PortResult<()>, String) {
    use super::postgres::{Span, limit_locks, watched};
    if tx.dialect() == dolmen_ports::Dialect::Sqlite {
        return (apply_in(tx, set, migration).await, String::new());
    }
    match limit_locks(tx, options.table_lock_timeout, Span::Transaction).await {
        Ok(process) => watched(backend, process, apply_in(tx, set, migration)).await,
        Err(error) => (Err(error), String::new()),
    }
}

#[cfg(not(feature = "postgres"))]
async fn apply(
    _: &dyn Backend,
    tx: &mut SqlTx,
    set: &MigrationSet,
    migration: &Migration,
    _: &SqlOptions,
) -> (PortResult<()>, String) {
    (apply_in(tx, set, migration).await, String::new())
}

async fn apply_in(tx: &mut SqlTx, set: &MigrationSet, migration: &Migration) -> PortResult<()> {
    tx.run_script(migration.sql(tx.dialect())).await?;
    tables::record(tx, set, migration).await
}
