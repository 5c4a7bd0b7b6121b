//! A network that delivers nothing and says nothing, and comes back.
#![expect(clippy::unwrap_used, reason = "a case stops at the first surprise")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{Database, PortResult, ReadFrom, WriteTx};
use dolmen_sql::{SqlDatabase, SqlOptions, sql};
use dolmen_testkit::conformance::{CaseResult, Suite};
use dolmen_testkit::faults::{Network, Proxy};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fixture::SqlHarness;

const CONNECTIONS: u32 = 4;
const DEADLINE: Duration = Duration::from_millis(500);
/// The promise: the whole pool is there again this soon after the network is.
const WHOLE_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn suite(on_file: bool) -> Suite<SqlHarness> {
    Suite::new("dark network")
        .needs("a server", !on_file)
        .case("calls_fail_at_their_deadline_and_the_whole_pool_comes_back", |h| {
            Box::pin(the_whole_pool_comes_back(h))
        })
        .case("connections_that_go_dark_on_their_way_back_keep_no_place", |h| {
            Box::pin(dark_on_the_way_back(h))
        })
}

/// The database of the case, through a proxy.
async fn through_proxy(harness: &SqlHarness) -> (Database, Proxy) {
    let (scheme, rest) = harness.url.split_once("://").unwrap();
    let (user, place) = rest.split_once('@').unwrap();
    let (server, name) = place.split_once('/').unwrap();
    let server: SocketAddr = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
    let proxy = Proxy::start(server).await.unwrap();
    let options = SqlOptions::new()
        .with_max_connections(CONNECTIONS)
        .with_acquire_timeout(DEADLINE)
        .with_statement_timeout(DEADLINE);
    let url = format!("{scheme}://{user}@{}/{name}", proxy.address());
    (SqlDatabase::connect(&url, options).await.unwrap().database(), proxy)
}

async fn write(database: Database) -> PortResult<u64> {
    let insert = async |tx: &mut WriteTx| {
        sql!("insert into dolmen_sql_counter (name, last) values ('a', 1) {on_conflict name} last = 2")
            .execute(tx)
            .await
    };
    database.system().write(insert).await
}

async fn write_at_once(database: &Database, count: u32) -> Vec<PortResult<u64>> {
    let mut writes = JoinSet::new();
    for _ in 0..count {
        writes.spawn(write(database.clone()));
    }
    writes.join_all().await
}

/// Opens as many transactions at once as the pool has places; how long it took until that worked.
async fn until_whole(database: &Database) -> Duration {
    let started = Instant::now();
    loop {
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(database.system().begin_read(ReadFrom::Primary).await);
        }
        let whole = open.iter().all(PortResult::is_ok);
        assert!(whole || started.elapsed() < WHOLE_WITHIN, "{open:?}");
        if whole {
            return started.elapsed();
        }
    }
}

async fn the_whole_pool_comes_back(harness: Arc<SqlHarness>) -> CaseResult {
    let (database, proxy) = through_proxy(&harness).await;
    assert!(write_at_once(&database, 2 * CONNECTIONS).await.iter().all(PortResult::is_ok));
    for _ in 0..2 {
        proxy.becomes(Network::Dark);
        let started = Instant::now();
        for failed in write_at_once(&database, 2 * CONNECTIONS).await {
            let kind = failed.unwrap_err().kind();
            assert!(kind.is_retryable(), "{kind}");
        }
        assert!(started.elapsed() < WHOLE_WITHIN, "{:?}", started.elapsed());
        proxy.becomes(Network::Clear);
        until_whole(&database).await;
        write(database.clone()).await?;
    }
    database.close().await;
    Ok(())
}

async fn dark_on_the_way_back(harness: Arc<SqlHarness>) -> CaseResult {
    let (database, proxy) = through_proxy(&harness).await;
    for _ in 0..3 {
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS {
            open.push(database.system().begin_read(ReadFrom::Primary).await?);
        }
        for tx in open {
            tx.end().await?;
        }
        // The pool asks each connection whether it is well before it takes it back; these never answer.
        proxy.becomes(Network::Dark);
        assert!(write(database.clone()).await.is_err());
        proxy.becomes(Network::Clear);
        until_whole(&database).await;
    }
    database.close().await;
    Ok(())
}
