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
        let whole = borrow_all(&database, connections).await?;
        let mut out = std::io::stdout().lock();
        writeln!(out, "{}", if whole { "whole" } else { "short" })?;
        out.flush()?;
        drop(out);
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
    let whole = open.iter().all(Result::is_ok);
    for tx in open.into_iter().flatten() {
        // One that cannot be ended is closed, and the next look shows whether its place is free.
        drop(tx.end().await);
    }
    Ok(whole)
}
