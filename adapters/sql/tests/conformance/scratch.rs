//! The scratch table of the database suite, in the statements that modules write.

use async_trait::async_trait;
use dolmen_ports::{Migration, MigrationSet, ModuleName, PortResult, ReadTx, Timestamp, Uuid, WriteTx};
use dolmen_sql::{FromRow, Row, sql};
use dolmen_testkit::conformance::database::{DatabaseHarness, ScratchRow};

use crate::fixture::SqlHarness;

pub(crate) const SCRATCH: MigrationSet = MigrationSet::new(ModuleName::new("dolmen_sql"), &[SUITE, THINGS]);

/// The table of the cases of statements.
const THINGS: Migration = Migration::new(
    "0002_thing",
    "create table dolmen_sql_thing (id blob primary key, yes integer, big integer, small integer, ratio real,
         name text, bytes blob, at text, doc text) strict;",
    "create table dolmen_sql_thing (id uuid primary key, yes boolean, big bigint, small integer,
         ratio double precision, name text, bytes bytea, at timestamptz, doc jsonb);",
)
.with_mysql(
    "create table dolmen_sql_thing (id binary(16) primary key, yes boolean, big bigint, small integer, ratio double,
         name longtext, bytes longblob, at datetime(6), doc json)
         character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;",
);

/// The tables of the database suite.
const SUITE: Migration = Migration::new(
    "0001_scratch",
        "create table dolmen_sql_row (
             id blob not null primary key, name text not null unique, parent blob references dolmen_sql_row (id),
             at text not null, amount integer not null, ratio real not null, enabled integer not null,
             document text not null, bytes blob not null, note text, score integer, flag integer, ended_at text,
             digest blob, version integer not null
         ) strict;
         create table dolmen_sql_counter (name text not null primary key, last integer not null) strict;",
        "create table dolmen_sql_row (
             id uuid not null primary key, name text not null unique, parent uuid references dolmen_sql_row (id),
             at timestamptz not null, amount bigint not null, ratio double precision not null, enabled boolean not null,
             document jsonb not null, bytes bytea not null, note text, score bigint, flag boolean, ended_at timestamptz,
             digest bytea, version bigint not null
         );
         create table dolmen_sql_counter (name text not null primary key, last bigint not null);",
)
.with_mysql(
    "create table dolmen_sql_row (
         id binary(16) not null primary key, name varchar(255) not null unique, parent binary(16),
         at datetime(6) not null, amount bigint not null, ratio double not null, enabled boolean not null,
         document json not null, bytes longblob not null, note longtext, score bigint, flag boolean, ended_at datetime(6),
         digest varbinary(32), version bigint not null, foreign key (parent) references dolmen_sql_row (id)
     ) character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;
     create table dolmen_sql_counter (name varchar(255) not null primary key, last bigint not null)
         character set utf8mb4 /*M! collate utf8mb4_nopad_bin */ /*!80017 collate utf8mb4_0900_bin */;",
);

struct Scratch(ScratchRow);

impl FromRow for Scratch {
    fn from_row(row: &Row) -> PortResult<Self> {
        Ok(Self(ScratchRow {
            id: row.get("id")?,
            name: row.get("name")?,
            parent: row.get("parent")?,
            at: row.get("at")?,
            amount: row.get("amount")?,
            ratio: row.get("ratio")?,
            enabled: row.get("enabled")?,
            document: row.get("document")?,
            bytes: row.get("bytes")?,
            note: row.get("note")?,
            score: row.get("score")?,
            flag: row.get("flag")?,
            ended_at: row.get("ended_at")?,
            digest: row.get("digest")?,
            version: row.get("version")?,
        }))
    }
}

fn row_of(scratch: Option<Scratch>) -> Option<ScratchRow> {
    scratch.map(|scratch| scratch.0)
}

#[async_trait]
impl DatabaseHarness for SqlHarness {
    async fn insert(&self, tx: &mut WriteTx, row: &ScratchRow) -> PortResult<()> {
        let ScratchRow { id, name, parent, at, amount, ratio, enabled, document, bytes, .. } = row;
        sql!(
            "insert into dolmen_sql_row (id, name, parent, at, amount, ratio, enabled, document, bytes, note, score,
                 flag, ended_at, digest, version)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            id, name, parent, at, amount, ratio, enabled, document, bytes, &row.note, &row.score, &row.flag,
            &row.ended_at, &row.digest, row.version
        )
        .execute(tx)
        .await
        .map(drop)
    }

    async fn insert_through_read(&self, tx: &mut ReadTx, row: &ScratchRow) -> PortResult<()> {
        let ScratchRow { id, name, at, amount, ratio, enabled, document, bytes, version, .. } = row;
        let inserted: Option<(Uuid,)> = sql!(
            "insert into dolmen_sql_row (id, name, at, amount, ratio, enabled, document, bytes, version)
             values (?, ?, ?, ?, ?, ?, ?, ?, ?) returning id",
            id,
            name,
            at,
            amount,
            ratio,
            enabled,
            document,
            bytes,
            version
        )
        .fetch_optional(tx)
        .await?;
        assert!(inserted.is_some(), "an insert returns its row");
        Ok(())
    }

    async fn find(&self, tx: &mut ReadTx, id: Uuid) -> PortResult<Option<ScratchRow>> {
        sql!(
            "select id, name, parent, at, amount, ratio, enabled, document, bytes, note, score, flag,
                 ended_at, digest, version
             from dolmen_sql_row where id = ?",
            id
        )
        .fetch_optional(tx)
        .await
        .map(row_of)
    }

    async fn find_for_update(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<Option<ScratchRow>> {
        sql!(
            "select id, name, parent, at, amount, ratio, enabled, document, bytes, note, score, flag,
                 ended_at, digest, version
             from dolmen_sql_row where id = ? {for_update}",
            id
        )
        .fetch_optional(tx)
        .await
        .map(row_of)
    }

    async fn find_by_name(&self, tx: &mut ReadTx, name: &str) -> PortResult<Option<ScratchRow>> {
        sql!(
            "select id, name, parent, at, amount, ratio, enabled, document, bytes, note, score, flag,
                 ended_at, digest, version
             from dolmen_sql_row where name = ?",
            name
        )
        .fetch_optional(tx)
        .await
        .map(row_of)
    }

    async fn update(&self, tx: &mut WriteTx, row: &ScratchRow, expected: i64) -> PortResult<bool> {
        let ScratchRow { id, name, parent, at, amount, ratio, enabled, document, bytes, .. } = row;
        let matched = sql!(
            "update dolmen_sql_row
             set name = ?, parent = ?, at = ?, amount = ?, ratio = ?, enabled = ?, document = ?, bytes = ?, note = ?,
                 score = ?, flag = ?, ended_at = ?, digest = ?, version = version + 1
             where id = ? and version = ?",
            name, parent, at, amount, ratio, enabled, document, bytes, &row.note, &row.score, &row.flag,
            &row.ended_at, &row.digest, id, expected
        )
        .execute(tx)
        .await?;
        Ok(matched == 1)
    }

    async fn delete(&self, tx: &mut WriteTx, id: Uuid) -> PortResult<bool> {
        Ok(sql!("delete from dolmen_sql_row where id = ?", id).execute(tx).await? == 1)
    }

    async fn count(&self, tx: &mut ReadTx) -> PortResult<u64> {
        let (count,): (i64,) = sql!("select count(*) from dolmen_sql_row").fetch_one(tx).await?;
        Ok(count.unsigned_abs())
    }

    async fn page(
        &self,
        tx: &mut ReadTx,
        after: Option<(Timestamp, Uuid)>,
        limit: u32,
    ) -> PortResult<Vec<ScratchRow>> {
        let (at, id) = after.unwrap_or((Timestamp::MIN, Uuid::nil()));
        let rows: Vec<Scratch> = sql!(
            "select id, name, parent, at, amount, ratio, enabled, document, bytes, note, score, flag,
                 ended_at, digest, version
             from dolmen_sql_row where at >= ? and (at > ? or id > ?) order by at, id limit ?",
            at,
            at,
            id,
            limit
        )
        .fetch_all(tx)
        .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    async fn next_number(&self, tx: &mut WriteTx, counter: &str) -> PortResult<i64> {
        sql!(
            "insert into dolmen_sql_counter (name, last) values (?, 1)
             {on_conflict name} last = dolmen_sql_counter.last + 1",
            counter
        )
        .execute(tx)
        .await?;
        let (last,) =
            sql!("select last from dolmen_sql_counter where name = ?", counter).fetch_one(tx).await?;
        Ok(last)
    }
}
