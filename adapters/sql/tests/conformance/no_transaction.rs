//! Migrations that no transaction takes: only PostgreSQL has them.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::sync::Arc;

use dolmen_ports::{Database, Migration, MigrationSet, ModuleName, PortResult, ReadTx};
use dolmen_sql::sql;
use dolmen_testkit::conformance::{CaseResult, Suite, TransactionHarness};

use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

pub(crate) fn suite(has_them: bool) -> Suite<SqlHarness> {
    Suite::new("no_transaction")
        .needs("statements that no transaction takes", has_them)
        .case("an_index_is_built_outside_of_a_transaction", |harness| Box::pin(it_is_built_apart(harness)))
        .case("an_index_that_failed_half_way_is_built_anew", |harness| Box::pin(it_is_built_anew(harness)))
        .case("what_was_done_before_the_kill_is_not_done_again", |harness| Box::pin(after_the_kill(harness)))
}

const MODULE: ModuleName = ModuleName::new("dolmen_sql_apart");
const INDEXED: MigrationSet = MigrationSet::new(
    MODULE,
    &[Migration::new(
        "0001_apart",
        "",
        "-- dolmen: no transaction
         create table dolmen_sql_apart (id integer primary key, name text);
         insert into dolmen_sql_apart (id, name) values (1, 'a;b');
         -- Not in a transaction; by itself.
         create unique index concurrently dolmen_sql_apart_name on dolmen_sql_apart (name);
         insert into dolmen_sql_apart (id, name) values (2, 'c');",
    )],
);

async fn change(database: &Database, statement: &'static str) -> PortResult<()> {
    database.system().write(async |tx| crate::connections::run(tx, statement).await.map(drop)).await
}

async fn rows(database: &Database) -> PortResult<i64> {
    let read =
        async |tx: &mut ReadTx| sql!("select count(*) from dolmen_sql_apart").fetch_one::<(i64,)>(tx).await;
    Ok(database.system().read(read).await?.0)
}

#[cfg(feature = "postgres")]
async fn is_valid(database: &Database) -> PortResult<Option<bool>> {
    let read = async |tx: &mut ReadTx| match dolmen_sql::native(tx)? {
        dolmen_sql::Native::Postgres(connection) => sqlx::query_scalar(
            "select indisvalid from pg_index where indexrelid = to_regclass('dolmen_sql_apart_name')",
        )
        .fetch_optional(connection)
        .await
        .map_err(|error| dolmen_sql::map_error(error, "look")),
        _ => Ok(None),
    };
    database.system().read(read).await
}

#[cfg(not(feature = "postgres"))]
async fn is_valid(_: &Database) -> PortResult<Option<bool>> {
    std::future::ready(Ok(None)).await
}

async fn it_is_built_apart(harness: H) -> CaseResult {
    let database = harness.database();
    assert_eq!(database.migrate(&[INDEXED]).await?.applied, ["dolmen_sql_apart/0001_apart"]);
    assert_eq!((is_valid(database).await?, rows(database).await?), (Some(true), 2));
    assert!(database.migrate(&[INDEXED]).await?.applied.is_empty());
    Ok(())
}

async fn it_is_built_anew(harness: H) -> CaseResult {
    const FIRST: MigrationSet = MigrationSet::new(
        ModuleName::new("dolmen_sql_first"),
        &[Migration::new(
            "0001_table",
            "",
            "create table dolmen_sql_twin (name text); insert into dolmen_sql_twin (name) values ('a'), ('a')",
        )],
    );
    const UNIQUE: MigrationSet = MigrationSet::new(
        MODULE,
        &[Migration::new(
            "0001_apart",
            "",
            "-- dolmen: no transaction
             insert into dolmen_sql_twin (name) values ('b');
             create unique index concurrently dolmen_sql_apart_name on dolmen_sql_twin (name);",
        )],
    );
    let database = harness.database();
    for _ in 0..2 {
        let error = database.migrate(&[FIRST, UNIQUE]).await.unwrap_err().to_string();
        for part in [
            "migrate/half-applied: migration dolmen_sql_apart/0001_apart failed after 1 of 2 statements",
            "already committed: `insert into dolmen_sql_twin (name) values ('b')`; failed: `create unique index",
            "mend the rest of migrations/postgres/0001_apart.sql",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(is_valid(database).await?, Some(false), "PostgreSQL leaves an index that it does not use");
        assert_eq!(database.pending_migrations(&[FIRST, UNIQUE]).await?, ["dolmen_sql_apart/0001_apart"]);
    }
    change(database, "delete from dolmen_sql_twin where name = 'a'").await?;
    assert_eq!(database.migrate(&[FIRST, UNIQUE]).await?.applied, ["dolmen_sql_apart/0001_apart"]);
    assert_eq!(is_valid(database).await?, Some(true));
    Ok(())
}

async fn after_the_kill(harness: H) -> CaseResult {
    const BROKEN: MigrationSet = MigrationSet::new(
        MODULE,
        &[Migration::new(
            "0001_apart",
            "",
            "-- dolmen: no transaction
         create table dolmen_sql_apart (id integer primary key, name text);
         insert into dolmen_sql_apart (id, name) values (1, 'a;b');
         insert into dolmen_sql_absent (id) values (1);",
        )],
    );
    let database = harness.database();
    let error = database.migrate(&[BROKEN]).await.unwrap_err().to_string();
    assert!(error.contains("failed after 2 of 3 statements"), "{error}");
    // What a process leaves behind that was killed between the statement and its record.
    change(database, "create unique index dolmen_sql_apart_name on dolmen_sql_apart (name)").await?;
    change(database, "update dolmen_migration_progress set in_doubt = true").await?;
    assert_eq!(database.migrate(&[INDEXED]).await?.applied, ["dolmen_sql_apart/0001_apart"]);
    assert_eq!((is_valid(database).await?, rows(database).await?), (Some(true), 2));
    Ok(())
}
