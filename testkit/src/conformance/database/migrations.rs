//! Migrations.

use std::sync::Arc;

use dolmen_ports::{ErrorKind, Migration, MigrationReport, MigrationSet, ModuleName};
use tokio::task::JoinSet;

use super::{DatabaseCapabilities, DatabaseHarness, DatabaseSuite};
use crate::conformance::failure::{CaseResult, ensure, ensure_eq, ensure_kind};
use crate::conformance::suite::add_cases;

pub(super) fn add(suite: DatabaseSuite, capabilities: DatabaseCapabilities) -> DatabaseSuite {
    let suite = add_cases!(suite,
        "DB-12": migrations_are_applied_once,
        "DB-12": pending_migrations_are_listed_in_their_order,
        "DB-12": an_edited_migration_is_refused,
        "DB-12": a_migration_before_an_applied_one_is_refused,
        "DB-12": an_older_program_finds_nothing_to_do,
        "DB-12": an_older_program_is_refused_by_what_breaks_it,
        "DB-12": concurrent_runners_apply_each_migration_once,
    );
    let suite = suite.needs("sql_migrations", capabilities.sql_migrations);
    let suite = add_cases!(suite,
        "DB-12": a_failed_migration_leaves_nothing_and_stays_pending,
        "DB-12": a_migration_may_have_several_statements,
    );
    suite.needs_nothing()
}

type H = Arc<dyn DatabaseHarness>;

const PROBE: ModuleName = ModuleName::new("suite_probe");
const OTHER: ModuleName = ModuleName::new("suite_other");

/// A migration whose statements are the same in every dialect.
const fn migration(name: &'static str, sql: &'static str) -> Migration {
    Migration::new(name, sql, sql).with_mysql(sql)
}

const ITEMS: Migration =
    migration("0001_items", "create table suite_probe_item (id integer primary key, name varchar(20))");
const NOTES: Migration = migration("0002_notes", "alter table suite_probe_item add column note varchar(20)");
const EDITED: Migration =
    migration("0001_items", "create table suite_probe_item (id integer primary key, name varchar(30))");
const BROKEN: Migration = migration(
    "0002_parts",
    "create table suite_probe_part (id integer primary key); insert into suite_probe_absent (id) values (1)",
);
const MENDED: Migration = migration(
    "0002_parts",
    "create table suite_probe_part (id integer primary key); -- a comment; with a semicolon
     insert into suite_probe_part (id) values (1);
     create index suite_probe_part_by_id on suite_probe_part (id);",
);

const BREAKING: Migration = migration(
    "0002_notes",
    "-- Nobody reads it any more.
     -- dolmen: breaks older binaries
     alter table suite_probe_item add column note varchar(20)",
);

const EARLIER: Migration =
    migration("0000_earlier", "create table suite_probe_early (id integer primary key)");

const AGAIN: Migration = migration("0001_again", "insert into suite_probe_part (id) values (1)");

const FIRST: MigrationSet = MigrationSet::new(PROBE, &[ITEMS]);
const BOTH: MigrationSet = MigrationSet::new(PROBE, &[ITEMS, NOTES]);
const OTHERS: MigrationSet = MigrationSet::new(
    OTHER,
    &[migration("0001_items", "create table suite_other_item (id integer primary key)")],
);

fn report(applied: &[&str], already: usize) -> MigrationReport {
    MigrationReport::new(applied.iter().map(|&name| name.to_owned()).collect(), already)
}

async fn migrations_are_applied_once(harness: H) -> CaseResult {
    let database = harness.database();
    let first = database.migrate(&[FIRST]).await?;
    ensure_eq!(first, report(&["suite_probe/0001_items"], 0), "the first run");
    let second = database.migrate(&[BOTH, OTHERS]).await?;
    ensure_eq!(second, report(&["suite_probe/0002_notes", "suite_other/0001_items"], 1), "the second run");
    ensure_eq!(database.migrate(&[BOTH, OTHERS]).await?, report(&[], 3), "the third run");
    ensure_eq!(database.migrate(&[]).await?, report(&[], 0), "a run without modules");
    Ok(())
}

async fn pending_migrations_are_listed_in_their_order(harness: H) -> CaseResult {
    let database = harness.database();
    let all = ["suite_other/0001_items", "suite_probe/0001_items", "suite_probe/0002_notes"];
    ensure_eq!(database.pending_migrations(&[OTHERS, BOTH]).await?, all, "before the first run");
    database.migrate(&[FIRST]).await?;
    let rest = ["suite_other/0001_items", "suite_probe/0002_notes"];
    ensure_eq!(database.pending_migrations(&[OTHERS, BOTH]).await?, rest, "after the first run");
    database.migrate(&[OTHERS, BOTH]).await?;
    ensure_eq!(database.pending_migrations(&[OTHERS, BOTH]).await?, [""; 0], "after the last run");
    Ok(())
}

async fn an_edited_migration_is_refused(harness: H) -> CaseResult {
    let database = harness.database();
    database.migrate(&[FIRST]).await?;
    let edited = MigrationSet::new(PROBE, &[EDITED, NOTES]);
    ensure_kind!(database.migrate(&[OTHERS, edited]).await, ErrorKind::Conflict, "an edited migration");
    let refusal = database.migrate(&[edited]).await.map_err(|error| error.to_string());
    ensure!(
        refusal.as_ref().is_err_and(|text| text.contains("suite_probe/0001_items")),
        "the refusal does not name the migration: {refusal:?}"
    );
    ensure_eq!(database.pending_migrations(&[BOTH]).await?, ["suite_probe/0002_notes"], "what is pending");
    Ok(())
}

async fn a_migration_before_an_applied_one_is_refused(harness: H) -> CaseResult {
    let database = harness.database();
    database.migrate(&[FIRST]).await?;
    let result = database.migrate(&[MigrationSet::new(PROBE, &[EARLIER, ITEMS])]).await;
    ensure_kind!(result, ErrorKind::Conflict, "a migration before an applied one");
    ensure_eq!(database.migrate(&[BOTH]).await?.already, 1, "migrations that were applied before");
    Ok(())
}

async fn an_older_program_finds_nothing_to_do(harness: H) -> CaseResult {
    let database = harness.database();
    database.migrate(&[BOTH, OTHERS]).await?;
    ensure_eq!(database.pending_migrations(&[FIRST]).await?, [""; 0], "what is pending for an older program");
    ensure_eq!(database.migrate(&[FIRST]).await?, report(&[], 1), "its run");
    Ok(())
}

async fn an_older_program_is_refused_by_what_breaks_it(harness: H) -> CaseResult {
    let database = harness.database();
    let newer = MigrationSet::new(PROBE, &[ITEMS, BREAKING]);
    database.migrate(&[newer, OTHERS]).await?;
    ensure_eq!(
        database.pending_migrations(&[newer, OTHERS]).await?,
        [""; 0],
        "what is pending for this program"
    );
    ensure_kind!(database.migrate(&[FIRST]).await, ErrorKind::Conflict, "the run of an older program");
    let refusal = database.pending_migrations(&[OTHERS, FIRST]).await.map_err(|error| error.to_string());
    ensure!(
        refusal.as_ref().is_err_and(|text| {
            text.contains("migrate/schema-newer") && text.contains("suite_probe/0002_notes")
        }),
        "the refusal does not name the rule and the migration: {refusal:?}"
    );
    ensure_eq!(database.migrate(&[OTHERS]).await?, report(&[], 1), "a module that it does not break");
    Ok(())
}

async fn concurrent_runners_apply_each_migration_once(harness: H) -> CaseResult {
    let mut runners = JoinSet::new();
    for _ in 0..4 {
        let database = harness.database().clone();
        runners.spawn(async move { database.migrate(&[BOTH, OTHERS]).await });
    }
    let mut applied = Vec::new();
    while let Some(report) = runners.join_next().await {
        let report = report??;
        ensure_eq!(report.applied.len() + report.already, 3, "migrations of one runner");
        applied.extend(report.applied);
    }
    applied.sort();
    let expected = ["suite_other/0001_items", "suite_probe/0001_items", "suite_probe/0002_notes"];
    ensure_eq!(applied, expected, "what all runners applied");
    Ok(())
}

async fn a_failed_migration_leaves_nothing_and_stays_pending(harness: H) -> CaseResult {
    let database = harness.database();
    let broken = MigrationSet::new(PROBE, &[ITEMS, BROKEN]);
    ensure!(database.migrate(&[broken]).await.is_err(), "a broken migration went through");
    let pending = database.pending_migrations(&[broken]).await?;
    ensure_eq!(pending, ["suite_probe/0002_parts"], "what is pending after the failure");
    let mended = MigrationSet::new(PROBE, &[ITEMS, MENDED]);
    let report = database.migrate(&[mended]).await?;
    ensure_eq!(report.applied, ["suite_probe/0002_parts"], "what is applied after it was mended");
    Ok(())
}

async fn a_migration_may_have_several_statements(harness: H) -> CaseResult {
    let database = harness.database();
    database.migrate(&[MigrationSet::new(PROBE, &[ITEMS, MENDED])]).await?;
    // Each statement took place, so the table is there and has a row with the id 1.
    let refused = database.migrate(&[MigrationSet::new(OTHER, &[AGAIN])]).await;
    ensure_kind!(refused, ErrorKind::AlreadyExists, "the same id once more");
    Ok(())
}
