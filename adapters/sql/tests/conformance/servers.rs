//! The servers that `cargo xtask test` brings are what they say: what other cases take for granted of them.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{BoxError, PortResult};
use dolmen_sql::sql;
use dolmen_testkit::conformance::{Case, CaseResult, Failure, Harness, Suite, TransactionHarness};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::fixture::SqlHarness;
use crate::variable;

/// URLs of streaming standbys of the test server, with a comma between them.
const STANDBYS: &str = "TEST_POSTGRES_STANDBY_URLS";
/// A PgBouncer in transaction mode before the test server.
const PGBOUNCER: &str = "TEST_PGBOUNCER_URL";
/// A server of the MySQL family.
const MYSQL: &str = "TEST_MYSQL_URL";

pub(crate) fn cases() -> Vec<Case> {
    let mut cases = Suite::new("servers")
        .needs(STANDBYS, variable(STANDBYS).is_some())
        .case("a_standby_receives_what_the_primary_commits", |h| Box::pin(standbys_receive(h)))
        .needs(PGBOUNCER, variable(PGBOUNCER).is_some())
        .case("through_pgbouncer_the_same_databases_are_reached", |h| Box::pin(pgbouncer_reaches(h)))
        .case("pgbouncer_lends_a_connection_for_a_transaction", |h| Box::pin(pgbouncer_lends(h)))
        .cases("postgres", || async { SqlHarness::on_postgres().await.map(Arc::new) });
    let mysql = Suite::new("servers")
        .needs(MYSQL, variable(MYSQL).is_some())
        .case("a_server_of_the_mysql_family_greets", |h| Box::pin(mysql_greets(h)));
    cases.extend(mysql.cases("mysql", || std::future::ready(Ok::<_, BoxError>(Arc::new(Nothing)))));
    cases
}

/// The harness of a case that needs no database.
struct Nothing;

impl Harness for Nothing {}

fn given(name: &str) -> Result<String, Failure> {
    variable(name).ok_or_else(|| Failure::new(format!("{name} is not set")))
}

/// The way to the database of the case's harness on another server.
fn on_server(server: &str, harness: &SqlHarness) -> Result<PgConnectOptions, Failure> {
    let here = PgConnectOptions::from_str(&harness.url)?;
    // A pooler may refuse to be told how floats are written.
    let there = PgConnectOptions::from_str(server)?.extra_float_digits(None);
    Ok(there.database(here.get_database().unwrap_or_default()))
}

async fn insert(harness: &SqlHarness) -> CaseResult {
    let inserted: PortResult<u64> = harness
        .database()
        .system()
        .write(async |tx| {
            sql!("insert into dolmen_sql_counter (name, last) values ('a', 7)").execute(tx).await
        })
        .await;
    assert_eq!(inserted?, 1);
    Ok(())
}

/// The one number that [`insert`] stored; without a prepared statement, which would not outlive a transaction.
async fn stored(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let row = sqlx::raw_sql("select last from dolmen_sql_counter").fetch_one(connection).await?;
    row.try_get(0)
}

async fn standbys_receive(harness: Arc<SqlHarness>) -> CaseResult {
    insert(&harness).await?;
    for url in given(STANDBYS)?.split(',') {
        let options = on_server(url.trim(), &harness)?;
        // The case's deadline ends this: until the standby has replayed them, database, table and row are not there.
        let mut looks = tokio::time::interval(Duration::from_millis(20));
        let (mut connection, last) = loop {
            looks.tick().await;
            let Ok(mut connection) = options.connect().await else { continue };
            let Ok(last) = stored(&mut connection).await else { continue };
            break (connection, last);
        };
        let row = sqlx::raw_sql("select pg_is_in_recovery()").fetch_one(&mut connection).await?;
        connection.close().await?;
        assert_eq!((last, row.try_get(0)?), (7, true));
    }
    Ok(())
}

async fn pgbouncer_reaches(harness: Arc<SqlHarness>) -> CaseResult {
    insert(&harness).await?;
    let mut connection = on_server(&given(PGBOUNCER)?, &harness)?.connect().await?;
    let last = stored(&mut connection).await?;
    connection.close().await?;
    assert_eq!(last, 7);
    Ok(())
}

async fn pgbouncer_lends(harness: Arc<SqlHarness>) -> CaseResult {
    let options = on_server(&given(PGBOUNCER)?, &harness)?;
    let (mut one, mut two) = (options.connect().await?, options.connect().await?);
    // Two clients are connected, yet one connection serves both, as neither is in a transaction.
    assert_eq!(backend(&mut one).await?, backend(&mut two).await?);
    // In a transaction it belongs to its client alone.
    sqlx::raw_sql("begin").execute(&mut one).await?;
    let lent = backend(&mut one).await?;
    assert_ne!(backend(&mut two).await?, lent);
    assert_eq!(backend(&mut one).await?, lent);
    one.close().await?;
    two.close().await?;
    Ok(())
}

/// The process on the server that answers.
async fn backend(connection: &mut PgConnection) -> Result<i32, sqlx::Error> {
    sqlx::raw_sql("select pg_backend_pid()").fetch_one(connection).await?.try_get(0)
}

/// A server of this family speaks first: a packet with the version of its protocol, 10, and its own.
async fn mysql_greets(_harness: Arc<Nothing>) -> CaseResult {
    let url = given(MYSQL)?;
    let place = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let address = place.split(['/', '?']).next().unwrap_or_default();
    let address = if address.contains(':') { address.to_owned() } else { format!("{address}:3306") };
    let mut stream = TcpStream::connect(address).await?;
    let mut head = [0; 5];
    stream.read_exact(&mut head).await?;
    let [low, middle, _, sequence, protocol] = head;
    assert_eq!((sequence, protocol), (0, 10));
    let mut greeting = vec![0; usize::from(u16::from_le_bytes([low, middle])).saturating_sub(1)];
    stream.read_exact(&mut greeting).await?;
    let version = greeting.split(|byte| *byte == 0).next().unwrap_or_default();
    let version = String::from_utf8_lossy(version);
    assert!(version.starts_with(|first: char| first.is_ascii_digit()), "{version}");
    Ok(())
}
