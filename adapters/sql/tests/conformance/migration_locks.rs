//! Migrations that wait for a lock: they give way, try again, and say who was in the way.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use dolmen_ports::{
    Database, Dialect, ErrorKind, Migration, MigrationSet, ModuleName, PortResult, ReadTx, WriteTx,
};
use dolmen_sql::{SqlDatabase, sql};
use dolmen_testkit::conformance::{CaseResult, Suite, TransactionHarness};

use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

pub(crate) fn suite(on_file: bool) -> Suite<SqlHarness> {
    Suite::new("migration_locks")
        .needs("locks of tables", !on_file)
        .case("a_migration_gives_way_to_who_comes_after_it", |harness| Box::pin(it_gives_way(harness)))
        .case("a_migration_that_stays_blocked_ends_and_says_why", |harness| Box::pin(it_says_why(harness)))
}

const TEXT: &str = "alter table dolmen_sql_counter add column note varchar(20)";
const NOTE: MigrationSet = MigrationSet::new(
    ModuleName::new("dolmen_sql_locks"),
    &[Migration::new("0001_note", TEXT, TEXT).with_mysql(TEXT)],
);

/// The same database through options of its own.
async fn patient(harness: &SqlHarness, patience: Duration) -> PortResult<Database> {
    let options = SqlHarness::options(harness.direct_url.as_deref())
        .with_table_lock_timeout(Duration::from_secs(1))
        .with_table_lock_patience(patience);
    Ok(SqlDatabase::connect(&harness.url, options).await?.database())
}

/// A transaction that uses the table until it is dropped.
async fn in_the_way(harness: &SqlHarness) -> PortResult<WriteTx> {
    let mut tx = harness.database().system().begin().await?;
    sql!("insert into dolmen_sql_counter (name, last) values (?, 1)", "held").execute(&mut tx).await?;
    Ok(tx)
}

#[cfg_attr(
    not(any(feature = "mysql", feature = "postgres")),
    expect(unused_variables, reason = "without a server nobody waits for a table")
)]
async fn is_waiting(harness: &SqlHarness) -> PortResult<bool> {
    let dialect = harness.sql.dialect();
    let look = async |tx: &mut ReadTx| {
        let waiting = match dialect {
            #[cfg(feature = "postgres")]
            Dialect::Postgres => match dolmen_sql::native(tx)? {
                dolmen_sql::Native::Postgres(connection) => {
                    sqlx::query_scalar(
                        "select count(*) from pg_locks where not granted
                     and database = (select oid from pg_database where datname = current_database())",
                    )
                    .fetch_one(connection)
                    .await
                }
                _ => Ok(0_i64),
            },
            #[cfg(feature = "mysql")]
            Dialect::MySql => match dolmen_sql::native(tx)? {
                dolmen_sql::Native::MySql(connection) => {
                    sqlx::query_scalar(
                        "select count(*) from information_schema.processlist
                     where db = database() and state like 'Waiting for table metadata lock%'",
                    )
                    .fetch_one(connection)
                    .await
                }
                _ => Ok(0_i64),
            },
            _ => Ok(0_i64),
        };
        waiting.map_err(|error| dolmen_sql::map_error(error, "look"))
    };
    Ok(harness.database().system().read(look).await? > 0)
}

/// The case's deadline ends this.
async fn until_it_waits(harness: &SqlHarness) -> PortResult<()> {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    while !is_waiting(harness).await? {
        looks.tick().await;
    }
    Ok(())
}

async fn it_gives_way(harness: H) -> CaseResult {
    let holder = in_the_way(&harness).await?;
    let migrating = patient(&harness, Duration::from_mins(5)).await?;
    let mut run = tokio::task::JoinSet::new();
    run.spawn(async move {
        let report = migrating.migrate(&[NOTE]).await;
        migrating.close().await;
        report
    });
    until_it_waits(&harness).await?;
    let asked = Instant::now();
    let read = async |tx: &mut ReadTx| sql!("select count(*) from dolmen_sql_counter").fetch_one(tx).await;
    let (count,): (i64,) = harness.database().system().read(read).await?;
    let waited = asked.elapsed();
    assert_eq!(count, 0, "what is not committed is not seen");
    assert!(waited < Duration::from_secs(2), "a reader waited {waited:?} behind the migration");
    holder.commit().await?;
    let report = run.join_next().await.unwrap()??;
    assert_eq!(report.applied, ["dolmen_sql_locks/0001_note"]);
    Ok(())
}

async fn it_says_why(harness: H) -> CaseResult {
    let holder = in_the_way(&harness).await?;
    let migrating = patient(&harness, Duration::from_millis(1)).await?;
    let error = migrating.migrate(&[NOTE]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let text = error.to_string();
    for part in [
        "migrate/blocked: migration dolmen_sql_locks/0001_note did not get its lock in 1 tries",
        "run migrate again",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    if harness.sql.dialect() == Dialect::Postgres {
        assert!(text.contains("blocked by pid ") && text.contains("idle in transaction, for "), "{text}");
        assert!(!text.contains("insert"), "{text}");
    }
    holder.rollback().await?;
    assert_eq!(migrating.migrate(&[NOTE]).await?.applied, ["dolmen_sql_locks/0001_note"]);
    migrating.close().await;
    Ok(())
}
