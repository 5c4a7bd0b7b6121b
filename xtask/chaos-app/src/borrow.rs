//! Borrows all connections of a pool at once, again and again, and says whether they can be had.

use std::io::Write as _;
use std::time::Duration;

use dolmen::{BoxError, Database, ReadFrom};
use dolmen_sql::{SqlDatabase, SqlOptions};
use tokio::task::JoinSet;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Prints `whole` when all connections can be had, else `short`, until the process is ended. No answer is waited for
/// longer than `limit`.
pub(crate) async fn borrow(url: &str, connections: u32, limit: Duration) -> Result<(), BoxError> {
    let options = SqlOptions::new()
        .with_max_connections(connections)
        .with_acquire_timeout(limit)
        .with_statement_timeout(limit);
    let database = SqlDatabase::connect(url, options).await?.database();
    loop {
        say(borrow_all(&database, connections).await?)?;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn borrow_all(database: &Database, connections: u32) -> Result<bool, BoxError> {
    let mut begins = JoinSet::new();
    for _ in 0..connections {
        let database = database.clone();
        begins.spawn(async move { database.system().begin_read(ReadFrom::Primary).await });
    }
    let mut open = Vec::new();
    while let Some(begun) = begins.join_next().await {
        open.push(begun?);
    }
    if let Some(error) = open.iter().find_map(|begun| begun.as_ref().err()) {
        eprintln!("{error}");
    }
    let whole = open.iter().all(Result::is_ok);
    for tx in open.into_iter().flatten() {
        // One that cannot be ended is closed, and the next look shows whether its place is free.
        drop(tx.end().await);
    }
    Ok(whole)
}

/// The same by a pool of sqlx alone, on PostgreSQL.
#[cfg(feature = "postgres")]
pub(crate) async fn borrow_plain(url: &str, connections: u32, limit: Duration) -> Result<(), BoxError> {
    let options = sqlx::postgres::PgPoolOptions::new().max_connections(connections).acquire_timeout(limit);
    let pool = options.connect_lazy(url)?;
    loop {
        let mut borrowed = JoinSet::new();
        for _ in 0..connections {
            let pool = pool.clone();
            borrowed.spawn(async move { pool.acquire().await });
        }
        let mut open = Vec::new();
        while let Some(acquired) = borrowed.join_next().await {
            open.push(acquired?);
        }
        say(open.iter().all(Result::is_ok))?;
        drop(open);
        tokio::time::sleep(PAUSE).await;
    }
}

fn say(whole: bool) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", if whole { "whole" } else { "short" })?;
    out.flush()
}
