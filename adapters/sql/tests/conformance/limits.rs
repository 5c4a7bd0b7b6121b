//! How connections are set up, and what ends a wait.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    ClaimRequest, Dialect, ErrorKind, JobQueue, KnownKind, PortResult, ReadFrom, Uuid, WorkerId, WriteTx,
};
use dolmen_sql::{Native, SqlDatabase, SqlJobQueue, SqlOptions, map_error, native, sql};
use dolmen_testkit::conformance::{CaseResult, Failure, Suite, TransactionHarness};
use sqlx::Row;

use crate::connections::job;
use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

pub(crate) fn suite(on_file: bool) -> Suite<SqlHarness> {
    Suite::new("limits")
        .case("a_full_pool_says_so_in_time", |harness| Box::pin(a_full_pool_says_so(harness)))
        .needs("a file", on_file)
        .case("a_file_is_written_durably_by_one_and_read_by_many", |harness| Box::pin(durable(harness)))
        .case("a_file_without_room_says_so_and_keeps_what_it_has", |harness| Box::pin(full(harness)))
        // SQLite works in this process, where there is no network to wait for.
        .needs("a server", !on_file)
        .case("a_statement_that_takes_too_long_is_given_up", |harness| {
            Box::pin(a_statement_is_given_up(harness))
        })
        .case("a_lock_that_somebody_holds_is_contention", |harness| Box::pin(a_lock_is_given_up(harness)))
}

async fn pragma(tx: &mut dolmen_ports::ReadTx, statement: &'static str) -> PortResult<String> {
    let Native::Sqlite(connection) = native(tx)? else { return Ok(String::new()) };
    let row = sqlx::query(statement).fetch_one(connection).await;
    let row = row.map_err(|error| map_error(error, "read a pragma"))?;
    let text = row.try_get_unchecked::<String, _>(0);
    text.map_err(|error| map_error(error, "read a pragma"))
}

async fn durable(harness: H) -> CaseResult {
    let mut writer = harness.database().system().begin().await?;
    assert_eq!(pragma(&mut writer, "pragma journal_mode").await?, "wal");
    // 2 is FULL: a commit is on the disk before it is acknowledged.
    assert_eq!(pragma(&mut writer, "pragma synchronous").await?, "2");
    assert_eq!(pragma(&mut writer, "pragma foreign_keys").await?, "1");
    assert_eq!(pragma(&mut writer, "pragma query_only").await?, "0");
    let mut reader = harness.database().system().begin_read(ReadFrom::Primary).await?;
    assert_eq!(pragma(&mut reader, "pragma query_only").await?, "1");
    Ok(())
}

/// A statement of SQLite that no other database knows.
async fn run(tx: &mut dolmen_ports::ReadTx, statement: &'static str) -> PortResult<()> {
    let Native::Sqlite(connection) = native(tx)? else { return Ok(()) };
    let done = sqlx::query(statement).execute(connection).await;
    done.map(drop).map_err(|error| map_error(error, "use the room"))
}

async fn full(harness: H) -> CaseResult {
    let database = harness.database().system();
    database.write(async |tx| run(tx, "create table room (bytes blob)").await).await?;
    database.write(async |tx| run(tx, "insert into room values (zeroblob(10))").await).await?;
    // The limit is one of the connection, which is closed after the failure: then there is room again.
    let refused = database
        .write(async |tx| {
            run(tx, "insert into room values (zeroblob(20))").await?;
            pragma(tx, "pragma max_page_count = 1").await?;
            run(tx, "insert into room values (zeroblob(1000000))").await
        })
        .await;
    let Err(refused) = refused else { return Err(Failure::new("there was room")) };
    assert_eq!(
        (refused.kind(), refused.is_retryable()),
        (ErrorKind::StorageFull, true),
        "{}",
        refused.chain()
    );
    database.write(async |tx| run(tx, "insert into room values (zeroblob(1000000))").await).await?;
    let sizes = "select group_concat(length(bytes)) from (select bytes from room order by length(bytes))";
    let found = database.read(async |tx| pragma(tx, sizes).await).await?;
    assert_eq!(found, "10,1000000");
    Ok(())
}

/// The harness's database with small limits.
async fn limited(harness: &SqlHarness) -> PortResult<SqlDatabase> {
    let options = SqlOptions::new()
        .with_max_connections(1)
        .with_acquire_timeout(Duration::from_millis(200))
        .with_statement_timeout(Duration::from_millis(200));
    SqlDatabase::connect(&harness.url, options).await
}

async fn a_full_pool_says_so(harness: H) -> CaseResult {
    let database = limited(&harness).await?.database();
    let held = database.system().begin_read(ReadFrom::Primary).await?;
    let refused =
        database.system().begin_read(ReadFrom::Primary).await.map(drop).map_err(|error| error.kind());
    assert_eq!(refused, Err(ErrorKind::Timeout));
    held.end().await?;
    database.system().begin_read(ReadFrom::Primary).await?.end().await?;
    database.close().await;
    Ok(())
}

async fn a_statement_is_given_up(harness: H) -> CaseResult {
    let database = limited(&harness).await?.database();
    let started = tokio::time::Instant::now();
    let is_mysql = harness.sql.dialect() == Dialect::MySql;
    let slept: PortResult<usize> = database
        .system()
        .read(async |tx| {
            let rows: Vec<(String,)> = if is_mysql {
                sql!("select cast(sleep(30) as char)").fetch_all(tx).await?
            } else {
                sql!("select cast(pg_sleep(30) as text)").fetch_all(tx).await?
            };
            Ok(rows.len())
        })
        .await;
    assert_eq!(slept.map_err(|error| error.kind()), Err(ErrorKind::Timeout));
    assert!(started.elapsed() < Duration::from_secs(10));
    // The one connection of the pool is free again, and not the one that sleeps.
    database.ping().await?;
    database.close().await;
    Ok(())
}

async fn a_lock_is_given_up(harness: H) -> CaseResult {
    let options = SqlOptions::new().with_busy_timeout(Duration::from_millis(100));
    let sql = SqlDatabase::connect(&harness.url, options).await?;
    let database = sql.database();
    let mut holder = database.system().begin().await?;
    count_up(&mut holder).await?;
    let mut waiting = database.system().begin().await?;
    let refused = count_up(&mut waiting).await;
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::Contention));
    waiting.rollback().await?;
    holder.commit().await?;
    // A single statement waits no longer than that either.
    let jobs = SqlJobQueue::new(&sql);
    harness.database().system().write(async |tx| jobs.enqueue(tx, vec![job()]).await).await?;
    let request = ClaimRequest::new(
        WorkerId::new(Uuid::from_u128(1)),
        vec![KnownKind::new(job().kind, 1)],
        1,
        Duration::from_mins(1),
    );
    let lease = jobs.claim(&request).await?.remove(0).lease;
    let mut holder = database.system().begin().await?;
    jobs.complete(&mut holder, &lease).await?;
    let refused = SqlJobQueue::new(&sql).release(&[lease], Duration::ZERO).await;
    assert_eq!(refused.map_err(|error| error.kind()), Err(ErrorKind::Contention));
    holder.rollback().await?;
    database.close().await;
    Ok(())
}

async fn count_up(tx: &mut WriteTx) -> PortResult<u64> {
    sql!("insert into dolmen_sql_counter (name, last) values ('a', 1) {on_conflict name} last = 2")
        .execute(tx)
        .await
}
