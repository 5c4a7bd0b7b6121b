//! What happens on and to connections: the native way out, pools and transactions of a team's own, nested writes, broken
//! connections.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

#[cfg(feature = "postgres")]
use std::str::FromStr;
use std::sync::Arc;

use dolmen_ports::{
    Database, Dialect, ErrorKind, JobId, JobQueue, NewJob, PortError, PortResult, ReadFrom, Scope, Uuid,
    WriteTx,
};
use dolmen_sql::{Native, SqlDatabase, SqlJobQueue, SqlOptions, map_error, native, sql};
use dolmen_testkit::conformance::{CaseResult, Suite, TransactionHarness};
#[cfg(feature = "postgres")]
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinSet;

use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

pub(crate) fn suite(on_file: bool) -> Suite<SqlHarness> {
    Suite::new("connections")
        .case("the_native_connection_is_in_the_transaction", |h| Box::pin(native_is_in_the_transaction(h)))
        .case("a_native_connection_that_reads_cannot_write", |h| Box::pin(native_read_cannot_write(h)))
        .case("a_native_failure_is_never_taken_for_a_commit", |h| {
            Box::pin(native_failure_is_not_committed(h))
        })
        .case("a_transaction_that_ended_natively_is_never_taken_for_a_commit", |h| {
            Box::pin(a_native_end_is_not_a_commit(h))
        })
        .case("a_nested_write_is_refused_at_once", |h| Box::pin(a_nested_write_is_refused(h)))
        .case("the_way_to_the_server_is_found_out", |h| Box::pin(the_way_is_found_out(h)))
        .case("many_writers_wait_for_each_other", |h| Box::pin(many_writers_wait(h)))
        .case("a_pool_of_the_teams_own_is_taken_over", |h| Box::pin(a_pool_is_taken_over(h)))
        .case("a_job_joins_a_transaction_of_the_teams_own", |h| Box::pin(a_job_joins_a_transaction(h)))
        .case("a_plan_that_a_migration_made_stale_is_made_anew", |h| Box::pin(a_stale_plan_is_made_anew(h)))
        .case("a_read_that_meets_a_stale_plan_begins_again", |h| Box::pin(a_read_begins_again(h)))
        .needs("a server", !on_file)
        .case("connections_that_the_server_closed_are_replaced", |h| Box::pin(broken_ones_are_replaced(h)))
        .case("a_heartbeat_opens_its_connection_anew", |h| Box::pin(a_heartbeat_opens_anew(h)))
}

/// Runs a statement that is the same on every database on the native connection.
pub(crate) async fn run(tx: &mut dolmen_ports::ReadTx, statement: &'static str) -> PortResult<u64> {
    let result = match native(tx)? {
        Native::Sqlite(connection) => {
            sqlx::query(statement).execute(connection).await.map(|done| done.rows_affected())
        }
        #[cfg(feature = "postgres")]
        Native::Postgres(connection) => {
            sqlx::query(statement).execute(connection).await.map(|done| done.rows_affected())
        }
        #[cfg(feature = "mysql")]
        Native::MySql(connection) => {
            sqlx::query(statement).execute(connection).await.map(|done| done.rows_affected())
        }
        _ => Ok(0),
    };
    result.map_err(|error| map_error(error, "run natively"))
}

const INSERT: &str = "insert into dolmen_sql_counter (name, last) values ('a', 7)";

async fn count(database: &Database) -> PortResult<i64> {
    let (count,) = database
        .system()
        .read(async |tx| sql!("select count(*) from dolmen_sql_counter").fetch_one::<(i64,)>(tx).await)
        .await?;
    Ok(count)
}

async fn native_is_in_the_transaction(harness: H) -> CaseResult {
    let result: PortResult<()> = harness
        .database()
        .system()
        .write(async |tx| {
            run(tx, INSERT).await?;
            let (last,) = sql!("select last from dolmen_sql_counter").fetch_one::<(i64,)>(tx).await?;
            assert_eq!(last, 7);
            Err(PortError::new(ErrorKind::Conflict, "test", "go on"))
        })
        .await;
    assert_eq!(result.unwrap_err().port(), "test");
    assert_eq!(count(harness.database()).await?, 0);
    let kept: PortResult<u64> = harness.database().system().write(async |tx| run(tx, INSERT).await).await;
    assert_eq!((kept?, count(harness.database()).await?), (1, 1));
    Ok(())
}

async fn native_read_cannot_write(harness: H) -> CaseResult {
    let refused: PortResult<u64> = harness.database().system().read(async |tx| run(tx, INSERT).await).await;
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::PermissionDenied);
    Ok(())
}

async fn native_failure_is_not_committed(harness: H) -> CaseResult {
    let result: PortResult<()> = harness
        .database()
        .system()
        .write(async |tx| {
            run(tx, INSERT).await?;
            assert_eq!(run(tx, INSERT).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
            Ok(())
        })
        .await;
    // SQLite and the MySQL family go on after a failed statement; PostgreSQL rolls back, and answers COMMIT as if it had not.
    let stored = count(harness.database()).await?;
    match harness.sql.dialect() {
        Dialect::Sqlite | Dialect::MySql => assert!(result.is_ok() && stored == 1),
        _ => assert!(result.is_err() && stored == 0),
    }
    Ok(())
}

async fn a_native_end_is_not_a_commit(harness: H) -> CaseResult {
    let result: PortResult<()> = harness
        .database()
        .system()
        .write(async |tx| {
            run(tx, INSERT).await?;
            run(tx, "rollback").await.map(drop)
        })
        .await;
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(
        error.chain().contains("a native statement failed or ended the transaction"),
        "{}",
        error.chain()
    );
    assert_eq!(count(harness.database()).await?, 0);
    // What comes after it is not committed by itself either.
    let result: PortResult<u64> = harness
        .database()
        .system()
        .write(async |tx| {
            run(tx, INSERT).await?;
            run(tx, "rollback").await?;
            insert(tx, "b".into()).await
        })
        .await;
    assert_eq!(result.unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(count(harness.database()).await?, 0);
    // The connection is as good as new.
    let kept: PortResult<u64> = harness.database().system().write(async |tx| run(tx, INSERT).await).await;
    assert_eq!((kept?, count(harness.database()).await?), (1, 1));
    Ok(())
}

async fn insert(tx: &mut WriteTx, name: String) -> PortResult<u64> {
    sql!("insert into dolmen_sql_counter (name, last) values (?, 1)", name).execute(tx).await
}

async fn a_nested_write_is_refused(harness: H) -> CaseResult {
    let mut task = JoinSet::new();
    let database = harness.database().clone();
    task.spawn(async move {
        let result: PortResult<()> = database
            .system()
            .write(async |tx| {
                insert(tx, "outer".into()).await?;
                database.system().write(async |tx| insert(tx, "inner".into()).await.map(drop)).await
            })
            .await;
        (result, database.system().write(async |tx| insert(tx, "after".into()).await).await)
    });
    let (nested, after) = task.join_next().await.unwrap()?;
    let error = nested.unwrap_err();
    assert!(
        error.kind() == ErrorKind::InvalidInput && error.to_string().contains("pass its `tx` on"),
        "{error}"
    );
    assert_eq!((after?, count(harness.database()).await?), (1, 1));
    Ok(())
}

async fn the_way_is_found_out(harness: H) -> CaseResult {
    assert_eq!(harness.sql.is_pooled(), harness.is_pooled());
    // Found out by a first connection; those of the pool are such that the server is reached.
    Ok(harness.database().ping().await?)
}

async fn many_writers_wait(harness: H) -> CaseResult {
    let mut writers = JoinSet::new();
    for number in 0..30 {
        let database = harness.database().clone();
        writers.spawn(async move {
            let inserted: PortResult<u64> =
                database.system().write(async |tx| insert(tx, number.to_string()).await).await;
            inserted
        });
    }
    for inserted in writers.join_all().await {
        assert_eq!(inserted?, 1);
    }
    assert_eq!(count(harness.database()).await?, 30);
    Ok(())
}

pub(crate) fn job() -> NewJob {
    NewJob::new(JobId::new(Uuid::from_u128(1)), "test.do_work", "{}", Scope::System)
}

/// A second handle on the harness's database, over a pool that somebody else made.
pub(crate) async fn own_pool(harness: &SqlHarness) -> PortResult<(SqlDatabase, OwnPool)> {
    match harness.sql.dialect() {
        Dialect::Sqlite => {
            let pool =
                sqlx::SqlitePool::connect(&harness.url).await.map_err(|error| map_error(error, "connect"))?;
            let sql = SqlDatabase::from_sqlite_pools(pool.clone(), pool.clone(), SqlOptions::new());
            Ok((sql, OwnPool::Sqlite(pool)))
        }
        #[cfg(feature = "mysql")]
        Dialect::MySql => {
            let pool =
                sqlx::MySqlPool::connect(&harness.url).await.map_err(|error| map_error(error, "connect"))?;
            Ok((SqlDatabase::from_mysql_pool(pool.clone(), SqlOptions::new()), OwnPool::MySql(pool)))
        }
        #[cfg(feature = "postgres")]
        _ => {
            let failed = |error| map_error(error, "connect");
            let mut connect = PgConnectOptions::from_str(&harness.url).map_err(failed)?;
            if harness.is_pooled() {
                connect = connect.extra_float_digits(None).statement_cache_capacity(0);
            }
            let pool = sqlx::PgPool::connect_with(connect).await.map_err(failed)?;
            let options = SqlOptions::new().with_transaction_pooler(harness.is_pooled());
            Ok((SqlDatabase::from_postgres_pool(pool.clone(), options), OwnPool::Postgres(pool)))
        }
        #[cfg(not(feature = "postgres"))]
        _ => Err(PortError::new(ErrorKind::Unsupported, "test", "make a pool")),
    }
}

pub(crate) enum OwnPool {
    Sqlite(sqlx::SqlitePool),
    #[cfg(feature = "postgres")]
    Postgres(sqlx::PgPool),
    #[cfg(feature = "mysql")]
    MySql(sqlx::MySqlPool),
}

impl OwnPool {
    /// A transaction of the team's own in which a row was inserted, handed over.
    pub(crate) async fn begun(&self, sql: &SqlDatabase) -> Result<WriteTx, sqlx::Error> {
        Ok(match self {
            Self::Sqlite(pool) => {
                let mut transaction = pool.begin().await?;
                sqlx::query(INSERT).execute(&mut *transaction).await?;
                sql.adopt_sqlite(transaction, Scope::System)
            }
            #[cfg(feature = "postgres")]
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                // Without a name, as behind a pooler every statement has to be.
                sqlx::query(INSERT).persistent(false).execute(&mut *transaction).await?;
                sql.adopt_postgres(transaction, Scope::System)
            }
            #[cfg(feature = "mysql")]
            Self::MySql(pool) => {
                let mut transaction = pool.begin_with("start transaction read write").await?;
                sqlx::query(INSERT).execute(&mut *transaction).await?;
                sql.adopt_mysql(transaction, Scope::System)
            }
        })
    }
}

async fn a_pool_is_taken_over(harness: H) -> CaseResult {
    let (sql, _pool) = own_pool(&harness).await?;
    let database = Database::new(sql);
    let inserted: PortResult<u64> =
        database.system().write(async |tx| insert(tx, "through the pool".into()).await).await;
    assert_eq!((inserted?, count(&database).await?, count(harness.database()).await?), (1, 1, 1));
    Ok(())
}

async fn a_job_joins_a_transaction(harness: H) -> CaseResult {
    let (sql, pool) = own_pool(&harness).await?;
    let queue = SqlJobQueue::new(&sql);
    for commits in [false, true] {
        let mut tx = pool.begun(&sql).await?;
        queue.enqueue(&mut tx, vec![job()]).await?;
        if commits {
            tx.commit().await?;
        } else {
            drop(tx);
        }
        let stored = harness.database().system().read(async |tx| queue.find(tx, job().id).await).await?;
        assert_eq!((stored.is_some(), count(harness.database()).await?), (commits, i64::from(commits)));
    }
    Ok(())
}

/// Closes all other connections of the case's database, as a restart of the server does.
async fn close_on_server(harness: &SqlHarness) -> CaseResult {
    if harness.sql.dialect() == Dialect::MySql {
        return close_on_mysql(harness).await;
    }
    let closed: PortResult<u64> = harness
        .database()
        .system()
        .write(async |tx| {
            run(
                tx,
                "select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and pid <> pg_backend_pid()",
            )
            .await
        })
        .await;
    closed?;
    Ok(())
}

#[cfg(not(feature = "mysql"))]
async fn close_on_mysql(_: &SqlHarness) -> CaseResult {
    std::future::ready(Err(dolmen_testkit::conformance::Failure::new("the feature mysql is off"))).await
}

/// A statement that kills takes one number, and no query for it.
#[cfg(feature = "mysql")]
async fn close_on_mysql(harness: &SqlHarness) -> CaseResult {
    let killed: PortResult<()> = harness
        .database()
        .system()
        .write(async |tx| {
            let Native::MySql(connection) = native(tx)? else { return Ok(()) };
            let failed = |error| map_error(error, "kill connections");
            let others: Vec<u64> = sqlx::query_scalar(
                "select cast(id as unsigned) from information_schema.processlist
                 where db = database() and id <> connection_id()",
            )
            .fetch_all(&mut *connection)
            .await
            .map_err(failed)?;
            for other in others {
                sqlx::query("kill connection ?")
                    .bind(other)
                    .execute(&mut *connection)
                    .await
                    .map_err(failed)?;
            }
            Ok(())
        })
        .await;
    Ok(killed?)
}

async fn broken_ones_are_replaced(harness: H) -> CaseResult {
    many_writers_wait(Arc::clone(&harness)).await?;
    for _ in 0..3 {
        close_on_server(&harness).await?;
        assert_eq!(count(harness.database()).await?, 30);
        close_on_server(&harness).await?;
        let deleted: PortResult<u64> = harness
            .database()
            .system()
            .write(async |tx| sql!("delete from dolmen_sql_counter where last > 1").execute(tx).await)
            .await;
        assert_eq!(deleted?, 0);
    }
    Ok(())
}

async fn a_heartbeat_opens_anew(harness: H) -> CaseResult {
    let mut heartbeat = harness.queue.open_heartbeat().await?;
    let lease = dolmen_ports::Lease::new(job().id, 1, dolmen_ports::ClaimId::new(Uuid::nil()));
    let minute = std::time::Duration::from_mins(1);
    assert_eq!(heartbeat.extend(&[lease], minute).await?, [job().id]);
    close_on_server(&harness).await?;
    // A pooler has connections of its own to the server, so the heartbeat's may live on.
    let extended = heartbeat.extend(&[lease], minute).await;
    assert!(extended.is_err() || harness.is_pooled());
    assert_eq!(heartbeat.extend(&[lease], minute).await?, [job().id]);
    Ok(())
}

/// Changes the type of a column, where the dialect can; on PostgreSQL the prepared statements of all pooled connections
/// return another type from now on.
async fn change_a_type(harness: &SqlHarness) -> PortResult<()> {
    let change = match harness.sql.dialect() {
        Dialect::Sqlite => "alter table dolmen_sql_counter add column more integer",
        Dialect::MySql => "alter table dolmen_sql_counter modify last integer not null",
        _ => "alter table dolmen_sql_counter alter column last type integer",
    };
    change_the_schema(harness.database(), change).await
}

/// Changes the schema by a native statement. On MariaDB it ends its transaction by itself.
pub(crate) async fn change_the_schema(database: &Database, change: &'static str) -> PortResult<()> {
    let mut tx = database.system().begin().await?;
    run(&mut tx, change).await?;
    if tx.backend() == Dialect::MySql.name() { tx.rollback().await } else { tx.commit().await }
}

async fn a_read_begins_again(harness: H) -> CaseResult {
    let database = harness.database();
    // Not the row itself, which a transaction that began before the change may not find.
    let read = async |tx: &mut dolmen_ports::ReadTx| {
        sql!("select max(last) from dolmen_sql_counter").fetch_one::<(Option<i64>,)>(tx).await.map(drop)
    };
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(database.system().begin_read(ReadFrom::Primary).await?);
    }
    for tx in &mut open {
        read(tx).await?;
    }
    for tx in open {
        tx.end().await?;
    }
    // These have begun, and seen nothing, when the table changes.
    let mut begun = Vec::new();
    for _ in 0..2 {
        begun.push(database.system().begin_read(ReadFrom::Primary).await?);
    }
    change_a_type(&harness).await?;
    for mut tx in begun {
        read(&mut tx).await?;
        tx.end().await?;
    }
    for _ in 0..5 {
        let seen: PortResult<()> = database.system().read(read).await;
        seen?;
    }
    Ok(())
}

async fn a_stale_plan_is_made_anew(harness: H) -> CaseResult {
    let database = harness.database();
    let names = async |tx: &mut WriteTx| {
        insert(tx, "a".into()).await?;
        let row =
            sql!("select name, last from dolmen_sql_counter").fetch_optional::<(String, i64)>(tx).await?;
        sql!("delete from dolmen_sql_counter").execute(tx).await?;
        PortResult::Ok(row)
    };
    assert!(database.system().write(names).await?.is_some());
    many_writers_wait(Arc::clone(&harness)).await?;
    change_a_type(&harness).await?;
    for _ in 0..5 {
        assert!(database.system().write(names).await?.is_some());
    }
    Ok(())
}
