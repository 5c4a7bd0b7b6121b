//! Behind PgBouncer in transaction mode: what only happens there.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    ClaimId, Database, ErrorKind, JobId, JobQueue, Lease, PortError, PortResult, ReadTx, Secret, Uuid,
};
use dolmen_sql::{Native, SqlDatabase, SqlJobQueue, SqlOptions, map_error, native, sql};
use dolmen_testkit::conformance::{CaseResult, Suite, TransactionHarness};
use dolmen_testkit::faults::Proxy;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::connections::{own_pool, run};
use crate::fixture::SqlHarness;

type H = Arc<SqlHarness>;

/// Native, so that the driver gives it a name.
const NATIVE: &str = "select last from dolmen_sql_counter";

const OPEN: &str = "select count(*) from pg_stat_activity where datname = current_database()
    and pid <> pg_backend_pid() and state like 'idle in transaction%'";

pub(crate) fn suite() -> Suite<SqlHarness> {
    Suite::new("pooler")
        .case("without_its_mode_statements_clash", |h| Box::pin(statements_clash(h)))
        .case("native_statements_leave_no_names_behind", |h| Box::pin(no_names_are_left(h)))
        .case("a_statement_that_failed_leaves_no_transaction_open", |h| Box::pin(no_transaction_is_left(h)))
        .case("a_heartbeat_opens_its_connection_anew", |h| Box::pin(a_heartbeat_opens_anew(h)))
        .case("migrations_are_refused_with_the_fix", |h| Box::pin(migrations_are_refused(h)))
        .case("migrations_of_another_database_are_noticed", |h| Box::pin(another_database_is_noticed(h)))
        .case("options_that_it_cannot_hand_on_are_refused_with_the_fix", |h| Box::pin(options_are_refused(h)))
}

/// What a direct connection keeps: that it is as quick as it can be.
pub(crate) fn direct_suite() -> Suite<SqlHarness> {
    Suite::new("pooler").case("without_one_statements_are_kept", |h| Box::pin(statements_are_kept(h)))
}

/// One connection, so that whoever comes next gets the one before.
async fn narrow(url: &str, options: SqlOptions) -> PortResult<(SqlDatabase, Database)> {
    let sql = SqlDatabase::connect(url, options.with_max_connections(1)).await?;
    Ok((sql.clone(), Database::new(sql)))
}

async fn count_counters(database: &Database) -> PortResult<i64> {
    let (count,) = database
        .system()
        .read(async |tx| sql!("select count(*) from dolmen_sql_counter").fetch_one::<(i64,)>(tx).await)
        .await?;
    Ok(count)
}

/// A number that the server knows; without giving the statement a name.
async fn ask(tx: &mut ReadTx, statement: &'static str) -> PortResult<i64> {
    let Native::Postgres(connection) = native(tx)? else { return Ok(-1) };
    let asked = sqlx::query_scalar(statement).persistent(false).fetch_one(connection).await;
    asked.map_err(|error| map_error(error, "ask"))
}

/// How many statements the session of the server knows by name.
async fn names(tx: &mut ReadTx) -> PortResult<i64> {
    ask(tx, "select count(*) from pg_prepared_statements").await
}

async fn statements_clash(harness: H) -> CaseResult {
    // As if there were no pooler: each connection believes that the session of the server is its own.
    let direct = async || {
        let connect = PgConnectOptions::from_str(&harness.url)?.extra_float_digits(None);
        let pool = PgPoolOptions::new().max_connections(1).connect_with(connect).await?;
        let options = SqlOptions::new().with_transaction_pooler(false);
        Ok::<_, sqlx::Error>(Database::new(SqlDatabase::from_postgres_pool(pool, options)))
    };
    let one = direct().await?;
    assert_eq!(count_counters(&one).await?, 0);
    // While the session of the server is on its way back, the pooler may lend another one; then that has the name too.
    let mut clash = None;
    for _ in 0..5 {
        clash = count_counters(&direct().await?).await.err();
        if clash.is_some() {
            break;
        }
    }
    let clash = clash.map(|error| error.chain()).unwrap_or_default();
    assert!(clash.contains("prepared statement"), "the statements of two clients do not clash: {clash:?}");
    // The same two, with what is found out. The names are another user's; they do not matter to statements without any.
    for _ in 0..2 {
        assert_eq!(count_counters(harness.database()).await?, 0);
        assert_eq!(count_counters(&narrow(&harness.url, SqlOptions::new()).await?.1).await?, 0);
    }
    Ok(())
}

async fn no_names_are_left(harness: H) -> CaseResult {
    let (sql, database) = narrow(&harness.url, SqlOptions::new()).await?;
    let system = database.system();
    let left = async || system.read(async |tx| names(tx).await).await;
    let used = async |tx: &mut ReadTx| {
        run(tx, NATIVE).await?;
        names(tx).await
    };
    let read: PortResult<i64> = system.read(async |tx| used(tx).await).await;
    assert_eq!((read?, left().await?), (1, 0), "after a read");
    let written: PortResult<i64> = system.write(async |tx| used(tx).await).await;
    assert_eq!((written?, left().await?), (1, 0), "after a commit");
    let failed: PortResult<()> = system
        .write(async |tx| {
            used(tx).await?;
            Err(PortError::new(ErrorKind::Conflict, "test", "go on"))
        })
        .await;
    assert_eq!((failed.unwrap_err().port(), left().await?), ("test", 0), "after a rollback");
    drop(sql);

    let (sql, pool) = own_pool(&harness).await?;
    for commits in [false, true] {
        let mut tx = pool.begun(&sql).await?;
        assert_eq!(used(&mut tx).await?, 1);
        let ended = if commits { tx.commit().await } else { tx.rollback().await };
        ended?;
        let stored = count_counters(&database).await?;
        assert_eq!((left().await?, stored), (0, i64::from(commits)), "adopted, committed: {commits}");
    }
    Ok(())
}

async fn no_transaction_is_left(harness: H) -> CaseResult {
    let (sql, database) = narrow(&harness.url, SqlOptions::new()).await?;
    let queue = SqlJobQueue::new(&sql);
    let broken: PortResult<u64> =
        database.system().write(async |tx| run(tx, "drop table dolmen_job cascade").await).await;
    broken?;
    let lease = Lease::new(JobId::new(Uuid::from_u128(1)), 1, ClaimId::new(Uuid::nil()));
    // A single statement, around which there is a transaction of its own: on the only connection, three times.
    for _ in 0..3 {
        let failed = queue.complete_all(&[lease]).await.unwrap_err();
        assert!(failed.chain().contains("dolmen_job"), "{}", failed.chain());
    }
    let open: PortResult<i64> = database.system().read(async |tx| ask(tx, OPEN).await).await;
    assert_eq!(open?, 0);
    Ok(())
}

async fn a_heartbeat_opens_anew(harness: H) -> CaseResult {
    let (scheme, rest) = harness.url.split_once("://").unwrap();
    let (user, place) = rest.split_once('@').unwrap();
    let (pooler, name) = place.split_once('/').unwrap();
    let pooler = tokio::net::lookup_host(pooler).await?.next().unwrap();
    let proxy = Proxy::start(pooler).await?;
    let url = format!("{scheme}://{user}@{}/{name}", proxy.address());
    let (sql, _) = narrow(&url, SqlOptions::new()).await?;
    let mut heartbeat = SqlJobQueue::new(&sql).open_heartbeat().await?;
    let job = JobId::new(Uuid::from_u128(1));
    let (lease, minute) = (Lease::new(job, 1, ClaimId::new(Uuid::nil())), Duration::from_mins(1));
    assert_eq!(heartbeat.extend(&[lease], minute).await?, [job]);
    proxy.reset_all();
    assert!(heartbeat.extend(&[lease], minute).await.is_err());
    assert_eq!(heartbeat.extend(&[lease], minute).await?, [job]);
    Ok(())
}

async fn migrations_are_refused(harness: H) -> CaseResult {
    let (_, database) = narrow(&harness.url, SqlOptions::new()).await?;
    let refused = database.migrate(&[dolmen_sql::MIGRATIONS]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("set DATABASE_MIGRATION_URL"), "{refused}");
    // What only reads goes through it.
    assert!(database.pending_migrations(&[dolmen_sql::MIGRATIONS]).await?.is_empty());
    // The other way round: a pooler where the server itself is asked for.
    let options = SqlOptions::new().with_migration_url(Secret::new(harness.url.clone()));
    let (_, database) = narrow(&harness.url, options).await?;
    let refused = database.migrate(&[dolmen_sql::MIGRATIONS]).await.unwrap_err().to_string();
    assert!(refused.contains("DATABASE_MIGRATION_URL leads through a pooler"), "{refused}");
    Ok(())
}

async fn another_database_is_noticed(harness: H) -> CaseResult {
    let other = dolmen_sql::test_database::TestDatabase::pgbouncer().await?;
    let direct = Secret::new(harness.direct_url.clone().unwrap_or_default());
    let options = SqlOptions::new().with_migration_url(direct);
    let (_, database) = narrow(other.url(), options).await?;
    let noticed = database.migrate(&[dolmen_sql::MIGRATIONS]).await.unwrap_err();
    other.remove(&database).await;
    assert_eq!(noticed.kind(), ErrorKind::InvalidInput);
    assert!(noticed.to_string().contains("set both to the same database"), "{noticed}");
    Ok(())
}

async fn options_are_refused(harness: H) -> CaseResult {
    let url = format!("{}?options=-c%20lock_timeout%3D1s", harness.url);
    let refused = SqlDatabase::connect(&url, SqlOptions::new()).await.unwrap_err();
    assert!(refused.to_string().contains("alter role"), "{refused}");
    Ok(())
}

async fn statements_are_kept(harness: H) -> CaseResult {
    let (_, database) = narrow(&harness.url, SqlOptions::new()).await?;
    count_counters(&database).await?;
    let kept: PortResult<i64> = database.system().read(async |tx| names(tx).await).await;
    assert_eq!(kept?, 1);
    Ok(())
}
