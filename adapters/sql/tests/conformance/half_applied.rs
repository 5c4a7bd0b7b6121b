//! Migrations on the MySQL family, which commits each change of the schema by itself.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::sync::Arc;

use dolmen_ports::{Database, ErrorKind, Migration, MigrationSet, ModuleName, PortResult};
use dolmen_sql::sql;
use dolmen_testkit::conformance::{CaseResult, Suite, TransactionHarness};

use crate::connections::change_the_schema;
use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

pub(crate) fn suite(commits_statements: bool) -> Suite<SqlHarness> {
    Suite::new("half_applied")
        .needs("changes of the schema that commit themselves", commits_statements)
        .case("what_is_committed_is_reported_and_not_done_again", |harness| {
            Box::pin(what_is_committed_is_not_done_again(harness))
        })
        .case("what_is_committed_must_not_change", |harness| {
            Box::pin(what_is_committed_must_not_change(harness))
        })
        .case("a_statement_that_was_killed_after_its_commit_counts", |harness| {
            Box::pin(a_killed_statement_counts(harness))
        })
        .case("a_run_that_another_one_has_overtaken_stops", |harness| {
            Box::pin(an_overtaken_run_stops(harness))
        })
}

const SUITE: ModuleName = ModuleName::new("dolmen_sql_half");

const fn migration(text: &'static str) -> Migration {
    Migration::new("0001_half", text, text).with_mysql(text)
}

const BROKEN: MigrationSet = MigrationSet::new(
    SUITE,
    &[migration(
        "-- Half of it.
         create table dolmen_sql_half (id integer primary key);
         insert into dolmen_sql_half (id) values (1);
         insert into dolmen_sql_absent (id) values (1);",
    )],
);
const MENDED: MigrationSet = MigrationSet::new(
    SUITE,
    &[migration(
        "-- Half of it.
         create table dolmen_sql_half (id integer primary key);
         insert into dolmen_sql_half (id) values (1);
         insert into dolmen_sql_half (id) values (2);",
    )],
);
const CHANGED: MigrationSet = MigrationSet::new(
    SUITE,
    &[migration(
        "create table dolmen_sql_half (id integer primary key, more integer);
         insert into dolmen_sql_half (id) values (1);
         insert into dolmen_sql_half (id) values (2);",
    )],
);

/// While its first statement runs, the record says that another run has come further.
const OVERTAKEN: MigrationSet = MigrationSet::new(
    SUITE,
    &[migration(
        "update dolmen_migration_progress set committed = 1, in_doubt = false where module = 'dolmen_sql_half';
         create table dolmen_sql_half (id integer primary key);",
    )],
);

async fn rows(database: &Database) -> PortResult<i64> {
    let (count,) = database
        .system()
        .read(async |tx| sql!("select count(*) from dolmen_sql_half").fetch_one::<(i64,)>(tx).await)
        .await?;
    Ok(count)
}

async fn what_is_committed_is_not_done_again(harness: H) -> CaseResult {
    let database = harness.database();
    for _ in 0..2 {
        let error = database.migrate(&[BROKEN]).await.unwrap_err().to_string();
        for part in [
            "migration dolmen_sql_half/0001_half failed after 2 of 3 statements",
            "already committed: `create table dolmen_sql_half (id integer primary key)`, `insert into dolmen_sql_half",
            "failed: `insert into dolmen_sql_absent",
            "mend the rest of migrations/mysql/0001_half.sql",
        ] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert_eq!(rows(database).await?, 1);
        assert_eq!(database.pending_migrations(&[BROKEN]).await?, ["dolmen_sql_half/0001_half"]);
    }
    assert_eq!(database.migrate(&[MENDED]).await?.applied, ["dolmen_sql_half/0001_half"]);
    assert_eq!(rows(database).await?, 2);
    assert!(database.migrate(&[MENDED]).await?.applied.is_empty());
    Ok(())
}

async fn what_is_committed_must_not_change(harness: H) -> CaseResult {
    let database = harness.database();
    database.migrate(&[BROKEN]).await.unwrap_err();
    let error = database.migrate(&[CHANGED]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let text = error.to_string();
    assert!(text.contains("its first 2 statements were changed") && text.contains("restore them"), "{text}");
    assert_eq!(rows(database).await?, 1);
    Ok(())
}

async fn a_killed_statement_counts(harness: H) -> CaseResult {
    let database = harness.database();
    let run = async |statement: &'static str| -> PortResult<()> {
        database.system().write(async |tx| crate::connections::run(tx, statement).await.map(drop)).await
    };
    change_the_schema(database, "create table dolmen_sql_half (id integer primary key)").await?;
    // Somebody else's table: nothing says that it is ours.
    let error = database.migrate(&[MENDED]).await.unwrap_err().to_string();
    assert!(error.contains("failed after 0 of 3 statements; already committed: nothing"), "{error}");
    // What a process leaves behind that was killed between the statement and its record.
    run("update dolmen_migration_progress set in_doubt = true").await?;
    assert_eq!(database.migrate(&[MENDED]).await?.applied, ["dolmen_sql_half/0001_half"]);
    assert_eq!(rows(database).await?, 2);
    Ok(())
}

async fn an_overtaken_run_stops(harness: H) -> CaseResult {
    let error = harness.database().migrate(&[OVERTAKEN]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    let locked = "migrate/locked: dolmen_sql_half/0001_half is being applied by another run too";
    assert!(error.to_string().contains(locked), "{error}");
    assert!(rows(harness.database()).await.is_err(), "the statement after it was sent");
    Ok(())
}
