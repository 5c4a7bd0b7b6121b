//! Migrations on MariaDB and MySQL, where every change of the schema is committed by itself.
//!
//! So a migration is applied statement by statement, and how far it came is recorded with each: a run that fails says what is
//! committed, and the next one goes on from there.

mod progress;
mod script;

use std::time::Duration;

use dolmen_ports::{Dialect, ErrorKind, Migration, MigrationSet, PortError, PortResult, TxDriver};
use tokio::time::Instant;

use self::progress::Progress;
use super::plan::{checksum, pending};
use crate::database::SqlTx;
use crate::driver::{Backend, Session};
use crate::error::mysql;
use crate::statement::framework_sql;

const TABLES: &str = "create table if not exists dolmen_migration (
    module varchar(128) not null,
    name varchar(255) not null,
    checksum varchar(32) not null,
    applied_at datetime(6) not null,
    primary key (module, name)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin;
create table if not exists dolmen_migration_progress (
    module varchar(128) not null,
    name varchar(255) not null,
    -- How many statements are committed, and their checksum.
    committed integer not null,
    checksum varchar(32) not null,
    -- The next one was sent, and no answer was recorded.
    in_doubt boolean not null,
    primary key (module, name)
) engine = InnoDB default character set utf8mb4 collate utf8mb4_bin";

/// How long a change of the schema waits for the transactions that use its table; the server's own limit is a day.
const LIMITS: &str = "set session lock_wait_timeout = 60";

/// Applies what is pending of all sets; returns its names.
pub(super) async fn run(
    backend: &dyn Backend,
    sets: &[MigrationSet],
    limit: Duration,
) -> PortResult<Vec<String>> {
    let mut tx = lock(backend, limit).await?;
    let names = run_locked(&mut tx, sets).await;
    // The lock belongs to the connection, and ends with it.
    drop(Box::new(tx).rollback().await);
    names
}

/// Takes the lock on a connection of its own: it holds for all statements, committed or not.
async fn lock(backend: &dyn Backend, limit: Duration) -> PortResult<SqlTx> {
    let mut session = backend.open_apart().await?;
    let deadline = Instant::now() + limit;
    while !backend.lock_migrations(&mut *session).await? {
        super::wait_for_lock(deadline, limit).await?;
    }
    Ok(SqlTx::new(session, None))
}

async fn run_locked(tx: &mut SqlTx, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
    tx.run_script(LIMITS).await?;
    tx.run_script(TABLES).await?;
    let mut names = Vec::new();
    for set in sets {
        let applied = super::applied(tx, set).await?;
        for migration in pending(set, &applied, Dialect::MySql)? {
            apply(tx, set, migration).await?;
            let name = format!("{}/{}", set.module, migration.name);
            tracing::info!(migration = name, "migration applied");
            names.push(name);
        }
    }
    Ok(names)
}

async fn apply(tx: &mut SqlTx, set: &MigrationSet, migration: &Migration) -> PortResult<()> {
    let sql = migration.sql(Dialect::MySql);
    let statements = script::statements(sql);
    let mut progress = Progress::read(tx, set, migration).await?;
    let committed = statements.get(..progress.committed);
    if committed.is_none_or(|committed| checksum(&committed.concat()) != progress.checksum) {
        return Err(PortError::new(ErrorKind::Conflict, "database", "migrate").with_detail(format!(
            "migration {}/{} is half applied, and its first {} statements were changed since they were committed; \
             restore them in migrations/mysql/{}.sql, change only those after them, and run migrate again",
            set.module, migration.name, progress.committed, migration.name
        )));
    }
    for (index, statement) in statements.iter().enumerate().skip(progress.committed) {
        let sum = checksum(&statements.get(..=index).unwrap_or_default().concat());
        let in_doubt = progress.begin(tx).await?;
        let result = apply_one(tx.session_mut(), &progress, statement, &sum).await;
        match result {
            Ok(()) => progress.advance(sum),
            // It was committed by a process that was killed before it could say so.
            Err(error) if in_doubt && mysql::number(&error).is_some_and(mysql::is_made_already) => {
                progress.answer(tx.session_mut(), index + 1, &sum).await?;
                progress.advance(sum);
            }
            Err(error) => {
                // An answer means that nothing of the statement is there; silence leaves it in doubt.
                if mysql::number(&error).is_some() {
                    let sum = progress.checksum.clone();
                    drop(progress.answer(tx.session_mut(), index, &sum).await);
                }
                return Err(failed(set, migration, &statements, index, error));
            }
        }
    }
    finish(tx, set, migration, &checksum(sql)).await
}

/// A statement and its record: one transaction, unless the statement is one that commits itself.
async fn apply_one(
    session: &mut dyn Session,
    progress: &Progress,
    statement: &'static str,
    sum: &str,
) -> PortResult<()> {
    session.run_script("start transaction").await?;
    if let Err(error) = session.run_script(statement).await {
        drop(session.run_script("rollback").await);
        return Err(error);
    }
    progress.answer(session, progress.committed + 1, sum).await?;
    session.run_script("commit").await
}

async fn finish(tx: &mut SqlTx, set: &MigrationSet, migration: &Migration, sum: &str) -> PortResult<()> {
    tx.run_script("start transaction").await?;
    framework_sql!(
        "insert into dolmen_migration (module, name, checksum, applied_at) values (?, ?, ?, {now})",
        set.module.as_str(),
        migration.name,
        sum
    )
    .execute_in(tx)
    .await?;
    Progress::forget(tx, set, migration).await?;
    tx.run_script("commit").await
}

fn failed(
    set: &MigrationSet,
    migration: &Migration,
    statements: &[&str],
    index: usize,
    error: PortError,
) -> PortError {
    let name = format!("{}/{}", set.module, migration.name);
    let committed: Vec<_> = statements.iter().take(index).map(|statement| script::title(statement)).collect();
    let committed = if committed.is_empty() { "nothing".to_owned() } else { committed.join(", ") };
    let next = statements.get(index).map(|statement| script::title(statement)).unwrap_or_default();
    PortError::new(error.kind(), "database", "migrate")
        .with_detail(format!(
            "migration {name} failed after {index} of {} statements; already committed: {committed}; failed: {next}; \
             fix: mend the rest of migrations/mysql/{}.sql, leave what is committed as it is, and run migrate again, \
             which goes on with statement {}",
            statements.len(),
            migration.name,
            index + 1
        ))
        .with_source(error)
}
