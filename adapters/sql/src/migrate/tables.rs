//! The tables of what was applied, and of what is half applied. They are made on the first run, outside of any set,
//! because sets are recorded in them.

use dolmen_ports::{Dialect, Migration, MigrationMarkers, MigrationSet, PortResult};

use super::plan::checksum;
use crate::database::SqlTx;
use crate::statement::framework_sql;

const IN_SQLITE: &str = "create table if not exists dolmen_migration (
    module text not null,
    name text not null,
    checksum text not null,
    breaks_older_binaries integer not null,
    applied_at text not null,
    primary key (module, name)
) strict, without rowid";

const IN_POSTGRES: &str = "create table if not exists dolmen_migration (
    module text not null,
    name text not null,
    checksum text not null,
    breaks_older_binaries boolean not null,
    applied_at timestamptz not null,
    primary key (module, name)
);
create table if not exists dolmen_migration_progress (
    module text not null,
    name text not null,
    -- How many statements are committed, and their checksum.
    committed integer not null,
    checksum text not null,
    -- The next one was sent, and no answer was recorded.
    in_doubt boolean not null,
    primary key (module, name)
)";

const IN_MYSQL: &str = "create table if not exists dolmen_migration (
    module varchar(128) not null,
    name varchar(255) not null,
    checksum varchar(32) not null,
    breaks_older_binaries boolean not null,
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

pub(super) async fn make(tx: &mut SqlTx) -> PortResult<()> {
    let script = match tx.dialect() {
        Dialect::Sqlite => IN_SQLITE,
        Dialect::MySql => IN_MYSQL,
        _ => IN_POSTGRES,
    };
    tx.run_script(script).await
}

pub(super) async fn are_there(tx: &mut SqlTx) -> PortResult<bool> {
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

/// Records that a migration is applied.
pub(super) async fn record(tx: &mut SqlTx, set: &MigrationSet, migration: &Migration) -> PortResult<()> {
    let sql = migration.sql(tx.dialect());
    // A file with an unknown marker is not applied, so it is not recorded.
    let markers = MigrationMarkers::read(sql).unwrap_or_default();
    framework_sql!(
        "insert into dolmen_migration (module, name, checksum, breaks_older_binaries, applied_at)
         values (?, ?, ?, ?, {now})",
        set.module.as_str(),
        migration.name,
        checksum(sql),
        markers.breaks_older_binaries
    )
    .execute_in(tx)
    .await
    .map(drop)
}
