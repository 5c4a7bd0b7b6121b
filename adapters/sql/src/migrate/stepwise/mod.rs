//! Migrations statement by statement: on MariaDB and MySQL, where every change of the schema is committed by itself, and on
//! PostgreSQL for statements that no transaction takes.
//!
//! How far a migration came is recorded with each statement: a run that fails says what is committed, and the next one
//! goes on from there.

#[cfg(feature = "mysql")]
mod mysql;
mod progress;
mod report;
mod script;
mod send;

use dolmen_ports::{Migration, MigrationSet, PortResult};

#[cfg(feature = "mysql")]
pub(super) use self::mysql::run;
use self::progress::Progress;
use self::report::Report;
use self::send::{Failure, Sender};
use super::plan::checksum;
use super::refusal::{Patience, is_refusal};
use super::tables;
use crate::database::{SqlOptions, SqlTx};
use crate::driver::Backend;

/// Applies a migration from where it stands. `process` is the server's process of `tx`, where one can ask what it waits for.
pub(super) async fn apply(
    backend: &dyn Backend,
    tx: &mut SqlTx,
    process: i64,
    set: &MigrationSet,
    migration: &Migration,
    options: &SqlOptions,
) -> PortResult<()> {
    let dialect = tx.dialect();
    let statements = script::statements(migration.sql(dialect), dialect);
    let report = Report { set, migration, dialect, statements: &statements };
    let mut progress = Progress::read(tx, set, migration).await?;
    let committed = statements.get(..progress.committed);
    if committed.is_none_or(|committed| checksum(&committed.concat()) != progress.checksum) {
        return Err(report.changed(progress.committed));
    }
    let sender = Sender { backend, process, options };
    for (index, statement) in statements.iter().enumerate().skip(progress.committed) {
        let sum = checksum(&statements.get(..=index).unwrap_or_default().concat());
        let mut patience = Patience::new(options);
        while let Err(failure) = sender.send(tx, &progress, statement, &sum).await {
            let Failure { error, blockers, is_nothing_there } = failure;
            let refused = is_refusal(&error);
            // A refusal says nothing about what a process did that was killed before.
            if is_nothing_there && !(refused && progress.in_doubt) {
                drop(progress.nothing_more(tx).await);
            }
            if !(refused && is_nothing_there) {
                return Err(report.failed(index, error));
            }
            let name = report.name();
            patience.wait(&name, &blockers, error).await.map_err(|error| report.failed(index, error))?;
        }
        progress.advance(sum);
    }
    finish(tx, set, migration).await
}

async fn finish(tx: &mut SqlTx, set: &MigrationSet, migration: &Migration) -> PortResult<()> {
    tx.run_script("start transaction").await?;
    tables::record(tx, set, migration).await?;
    Progress::forget(tx, set, migration).await?;
    tx.run_script("commit").await
}
