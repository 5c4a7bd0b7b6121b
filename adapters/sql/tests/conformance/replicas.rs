//! Reads on real standbys: who gets them, and when the primary takes them.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::net::SocketAddr;
use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{
    ClientPosition, Clock as _, Database, ErrorKind, PortResult, Position, ReadFrom, Scope, Secret,
    SystemClock, WriteTx,
};
use dolmen_sql::{Positions, ReplicaStatus, SqlDatabase, SqlOptions, sql};
use dolmen_testkit::conformance::database::DatabaseCapabilities;
use dolmen_testkit::conformance::{self, Case, CaseResult, Failure, Suite, TransactionHarness};
use dolmen_testkit::faults::{Faults, FaultyDatabase, Network, Proxy, Step};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection};

use crate::connections::run;
use crate::fixture::SqlHarness;
use crate::variable;

/// URLs of streaming standbys of the test server, with a comma between them.
const STANDBYS: &str = "TEST_POSTGRES_STANDBY_URLS";
const INSERT: &str = "insert into dolmen_sql_counter (name, last) values ('a', 7)";
/// The advisory lock of who lets standbys stand still; held shared by who needs them to move.
const STANDSTILL: &str = "7362551";

type H = Arc<SqlHarness>;

pub(crate) fn cases() -> Vec<Case> {
    let is_there = variable(STANDBYS).is_some();
    let fresh = || async { SqlHarness::on_postgres_with(|url| standbys_of(url).join(",")).await };
    let database = conformance::database::cases("postgres-with-replicas", DatabaseCapabilities::all(), fresh);
    let own = Suite::new("replicas")
        .case("a_read_goes_to_a_replica_and_a_write_to_the_primary", |h| Box::pin(reads_are_split(h)))
        .case("a_replica_refuses_a_write", |h| Box::pin(a_replica_refuses_a_write(h)))
        .case("who_wrote_waits_for_no_replica", |h| Box::pin(who_wrote_waits_for_none(h)))
        .case("a_lost_answer_keeps_the_client_on_the_primary", |h| Box::pin(an_answer_is_lost(h)))
        .case("a_time_that_has_passed_waits_for_a_look_at_the_primary", |h| Box::pin(a_look_is_waited_for(h)))
        .case("a_replica_that_lags_gets_no_reads", |h| Box::pin(a_lagging_one_gets_none(h)))
        .case("a_replica_that_is_gone_gets_no_reads", |h| Box::pin(one_that_is_gone_gets_none(h)))
        .case("reads_go_to_the_replica_with_the_fewest", |h| Box::pin(reads_are_spread(h)))
        .case("without_a_replica_that_answers_everything_works", |h| Box::pin(nobody_answers(h)))
        .cases("postgres", || async { SqlHarness::on_postgres().await.map(Arc::new) });
    let cases = database.into_iter().chain(own);
    cases.map(|case| if is_there { case } else { case.without(STANDBYS) }).collect()
}

/// The same database on each standby.
fn standbys_of(url: &str) -> Vec<String> {
    let name = PgConnectOptions::from_str(url).unwrap().get_database().unwrap().to_owned();
    let standbys = variable(STANDBYS).unwrap_or_default();
    let on = |standby: &str| format!("{}/{name}", standby.trim().rsplit_once('/').unwrap().0);
    standbys.split(',').map(on).collect()
}

/// Looks at the replicas often.
fn options() -> SqlOptions {
    SqlOptions::new()
        .with_max_connections(5)
        .with_replica_check_interval(Duration::from_millis(20))
        .with_max_replica_lag(Duration::from_secs(20))
}

async fn connect(harness: &H, read_urls: impl Into<String>, options: SqlOptions) -> PortResult<SqlDatabase> {
    SqlDatabase::connect(&harness.url, options.with_read_urls(Secret::new(read_urls.into()))).await
}

/// The case's database with its replicas, all of them in use.
async fn with_replicas(harness: &H, options: SqlOptions) -> PortResult<(SqlDatabase, Database)> {
    let sql = connect(harness, standbys_of(&harness.url).join(","), options).await?;
    for url in standbys_of(&harness.url) {
        until_migrated(&url).await;
    }
    until_all(&sql, in_use).await;
    Ok((sql.clone(), sql.database()))
}

/// Waits until the case's database has arrived on a standby.
async fn until_migrated(standby: &str) {
    let options = PgConnectOptions::from_str(standby).unwrap();
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    loop {
        looks.tick().await;
        let Ok(mut connection) = options.connect().await else { continue };
        let found = sqlx::raw_sql("select name from dolmen_sql_counter").execute(&mut connection).await;
        drop(connection.close().await);
        if found.is_ok() {
            return;
        }
    }
}

/// Looks again and again until all replicas are so; the case's deadline ends this.
async fn until_all(sql: &SqlDatabase, are: fn(&ReplicaStatus) -> bool) {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    while !sql.replicas().iter().all(are) {
        looks.tick().await;
    }
}

fn in_use(replica: &ReplicaStatus) -> bool {
    replica.out_of_use.is_none()
}

/// Reads again and again until a replica takes the read.
async fn until_on_replica(database: &Database, client: &ClientPosition) -> PortResult<()> {
    let mut looks = tokio::time::interval(Duration::from_millis(10));
    while !client.follow(reads_on_replica(database, ReadFrom::Replica)).await? {
        looks.tick().await;
    }
    Ok(())
}

/// A connection that holds the lock; closing it gives the lock back.
async fn standstill(how: &'static str) -> PgConnection {
    let options = PgConnectOptions::from_str(&variable("TEST_POSTGRES_URL").unwrap()).unwrap();
    let mut connection = options.connect().await.unwrap();
    let lock = format!("select {how}({STANDSTILL})");
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock)).execute(&mut connection).await.unwrap();
    connection
}

const MOVING: &str = "pg_advisory_lock_shared";
const STOPPED: &str = "pg_advisory_lock";

/// Lets every standby stop or go on applying what it receives.
async fn on_standbys(harness: &H, statement: &'static str) -> CaseResult {
    for url in standbys_of(&harness.url) {
        let mut connection = PgConnectOptions::from_str(&url)?.connect().await?;
        sqlx::raw_sql(statement).execute(&mut connection).await?;
        connection.close().await?;
    }
    Ok(())
}

const PAUSE: &str = "select pg_wal_replay_pause()";
const RESUME: &str = "select pg_wal_replay_resume()";

/// Which server answers: a replica or the primary.
async fn reads_on_replica(database: &Database, from: ReadFrom) -> PortResult<bool> {
    let database = database.system();
    let (is_replica,) = database
        .read_from(from, async |tx| sql!("select pg_is_in_recovery()").fetch_one::<(bool,)>(tx).await)
        .await?;
    Ok(is_replica)
}

async fn count(database: &Database) -> PortResult<i64> {
    let (count,) = database
        .system()
        .read_from(ReadFrom::Replica, async |tx| {
            sql!("select count(*) from dolmen_sql_counter").fetch_one::<(i64,)>(tx).await
        })
        .await?;
    Ok(count)
}

async fn write(database: &Database) -> PortResult<u64> {
    database.system().write(async |tx: &mut WriteTx| run(tx, INSERT).await).await
}

fn fallbacks(sql: &SqlDatabase, reason: &str) -> u64 {
    sql.replica_fallbacks().iter().find(|(name, _)| *name == reason).map_or(0, |(_, count)| *count)
}

async fn reads_are_split(harness: H) -> CaseResult {
    let _moving = standstill(MOVING).await;
    let (sql, database) = with_replicas(&harness, options()).await?;
    assert!(reads_on_replica(&database, ReadFrom::Replica).await?);
    assert!(!reads_on_replica(&database, ReadFrom::Primary).await?);
    let client = ClientPosition::default();
    client.follow(write(&database)).await?;
    // What it says that it can.
    assert_eq!(sql.positions(), Positions::Log);
    assert!(matches!(client.written(), Some(Position::Log { .. })));
    // As soon as a replica has it, the client reads there too.
    until_on_replica(&database, &client).await?;
    assert_eq!(client.follow(count(&database)).await?, 1);
    // A commit of the team's own is told by a time: how far the log goes was not asked.
    let own = sqlx::PgPool::connect(&harness.url).await?;
    let adopting = ClientPosition::default();
    adopting.follow(sql.adopt_postgres(own.begin().await?, Scope::System).commit()).await?;
    assert!(matches!(adopting.written(), Some(Position::Primary { .. })));
    assert!(!adopting.follow(reads_on_replica(&database, ReadFrom::Replica)).await?);
    own.close().await;
    database.close().await;
    let closed = reads_on_replica(&database, ReadFrom::Replica).await.map_err(|error| error.kind());
    assert_eq!(closed, Err(ErrorKind::Unavailable));
    assert_eq!(sql.replicas().len(), standbys_of(&harness.url).len());
    Ok(())
}

async fn a_replica_refuses_a_write(harness: H) -> CaseResult {
    let _moving = standstill(MOVING).await;
    let (_, database) = with_replicas(&harness, options()).await?;
    let read = database.system().read_from(ReadFrom::Replica, async |tx| run(tx, INSERT).await).await;
    assert_eq!(read.map_err(|error| error.kind()), Err(ErrorKind::PermissionDenied));
    assert_eq!(count(harness.database()).await?, 0);
    database.close().await;
    Ok(())
}

async fn who_wrote_waits_for_none(harness: H) -> CaseResult {
    let stopped = standstill(STOPPED).await;
    let (sql, database) = with_replicas(&harness, options()).await?;
    on_standbys(&harness, PAUSE).await?;
    let client = ClientPosition::default();
    let seen = client.follow(async { (write(&database).await, count(&database).await) }).await;
    let (others, behind) = (count(&database).await, fallbacks(&sql, "behind"));
    on_standbys(&harness, RESUME).await?;
    stopped.close().await?;
    assert_eq!((seen.0?, seen.1?), (1, 1));
    // Who did not write still reads on a replica, which is a little behind.
    assert_eq!((others?, behind), (0, 1));
    database.close().await;
    Ok(())
}

async fn an_answer_is_lost(harness: H) -> CaseResult {
    let _moving = standstill(MOVING).await;
    let (sql, _) = with_replicas(&harness, options()).await?;
    let faults = Faults::new();
    let database = Database::new(FaultyDatabase::new(sql, faults.clone()));
    faults.fail_next(Step::AnswerToCommit, 1, ErrorKind::Unavailable);
    let client = ClientPosition::default();
    let written = client.follow(write(&database)).await;
    assert_eq!(written.map_err(|error| error.kind()), Err(ErrorKind::Unavailable));
    assert!(matches!(client.written(), Some(Position::Primary { .. })), "{:?}", client.written());
    assert!(!client.follow(reads_on_replica(&database, ReadFrom::Replica)).await?);
    assert_eq!(client.follow(count(&database)).await?, 1);
    database.close().await;
    Ok(())
}

async fn a_look_is_waited_for(harness: H) -> CaseResult {
    let _moving = standstill(MOVING).await;
    for url in standbys_of(&harness.url) {
        until_migrated(&url).await;
    }
    // One look, and no other one while the case runs.
    let options = options().with_replica_check_interval(Duration::from_hours(1));
    let (sql, database) = with_replicas(&harness, options).await?;
    // It has passed when the read begins, and since then nobody knows what the primary has written.
    let client = ClientPosition::new(Some(Position::Primary { until: SystemClock.now() }));
    assert!(!client.follow(reads_on_replica(&database, ReadFrom::Replica)).await?);
    assert_eq!(fallbacks(&sql, "recent_write"), 1);
    // That of a time before the look.
    let earlier = Position::Primary { until: SystemClock.now().minus(Duration::from_hours(1)) };
    let client = ClientPosition::new(Some(earlier));
    assert!(client.follow(reads_on_replica(&database, ReadFrom::Replica)).await?);
    database.close().await;
    Ok(())
}

async fn a_lagging_one_gets_none(harness: H) -> CaseResult {
    let stopped = standstill(STOPPED).await;
    let options = options().with_max_replica_lag(Duration::from_millis(100));
    let (sql, database) = with_replicas(&harness, options).await?;
    on_standbys(&harness, PAUSE).await?;
    write(&database).await?;
    until_all(&sql, |replica| replica.out_of_use.as_ref().is_some_and(|why| why.contains("lags"))).await;
    let (seen, on_primary) = (count(&database).await, fallbacks(&sql, "none_in_use"));
    on_standbys(&harness, RESUME).await?;
    stopped.close().await?;
    assert_eq!((seen?, on_primary), (1, 1));
    until_all(&sql, in_use).await;
    database.close().await;
    Ok(())
}

/// The URL of the case's database on the first standby through a proxy.
async fn proxied(harness: &H) -> Result<(Proxy, SocketAddr, String), Failure> {
    let url = standbys_of(&harness.url).remove(0);
    let standby = PgConnectOptions::from_str(&url)?;
    let place = format!("{}:{}", standby.get_host(), standby.get_port());
    let server = tokio::net::lookup_host(&place).await?.next().unwrap();
    let proxy = Proxy::start(server).await?;
    let url = url.replace(&place, &proxy.address().to_string());
    Ok((proxy, server, url))
}

async fn one_that_is_gone_gets_none(harness: H) -> CaseResult {
    let _moving = standstill(MOVING).await;
    let (proxy, server, replica) = proxied(&harness).await?;
    let options = options().with_acquire_timeout(Duration::from_millis(500));
    let sql = connect(&harness, replica, options).await?;
    let database = sql.database();
    let nobody: SocketAddr = ([127, 0, 0, 1], 9).into();
    for round in ["it breaks", "it is silent"] {
        until_on_replica(&database, &ClientPosition::default()).await?;
        if round == "it breaks" {
            proxy.move_to(nobody);
            proxy.reset_all();
        } else {
            proxy.becomes(Network::Dark);
        }
        // From the first read on: what broke is the replica, and not the read.
        assert!(!reads_on_replica(&database, ReadFrom::Replica).await?, "{round}");
        until_all(&sql, |replica| !in_use(replica)).await;
        proxy.becomes(Network::Clear);
        proxy.move_to(server);
    }
    until_on_replica(&database, &ClientPosition::default()).await?;
    database.close().await;
    Ok(())
}

async fn reads_are_spread(harness: H) -> CaseResult {
    let _moving = standstill(MOVING).await;
    let (_, database) = with_replicas(&harness, options()).await?;
    let mut ports = Vec::new();
    let mut open = Vec::new();
    for _ in 0..standbys_of(&harness.url).len() {
        let mut tx = database.system().begin_read(ReadFrom::Replica).await?;
        let (port,): (i64,) = sql!("select inet_server_port()").fetch_one(&mut tx).await?;
        ports.push(port);
        open.push(tx);
    }
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), open.len(), "each read should be on a replica of its own");
    drop(open);
    database.close().await;
    Ok(())
}

async fn nobody_answers(harness: H) -> CaseResult {
    let nowhere = "postgres://app@127.0.0.1:9/nowhere";
    let sql = connect(&harness, nowhere, options()).await?;
    let database = sql.database();
    let client = ClientPosition::default();
    let seen = client.follow(async { (write(&database).await, count(&database).await) }).await;
    assert_eq!((seen.0?, seen.1?), (1, 1));
    assert!(fallbacks(&sql, "none_in_use") + fallbacks(&sql, "recent_write") > 0);
    database.close().await;
    Ok(())
}
