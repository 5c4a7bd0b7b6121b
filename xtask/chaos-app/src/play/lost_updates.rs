//! F44: several writers read a row and write what they made of it; each change must still be there at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dolmen::{BoxError, Database, PortResult, ReadTx, WriteTx};
use dolmen_sql::{SqlDatabase, SqlOptions, sql};
use serde_json::{Value, json};
use tokio::task::JoinSet;

const WRITERS: usize = 8;
/// Rows that are changed if their version is the one that was read, in another transaction.
const BY_VERSION: i64 = 2;
/// Rows that are held for update from the reading on.
const FOR_UPDATE: i64 = 2;

#[derive(Debug)]
struct Stage {
    database: Database,
    unchecked: bool,
    left: AtomicU64,
    /// Updates that found another version than they had read.
    stale: AtomicU64,
}

pub(super) async fn play(url: &str, count: u64, unchecked: bool) -> Result<Value, BoxError> {
    let database = SqlDatabase::connect(url, SqlOptions::new()).await?.database();
    let open = async |tx: &mut WriteTx| {
        for id in 0..BY_VERSION + FOR_UPDATE {
            sql!("insert into chaos_account (id, balance, version) values (?, 0, 0)", id).execute(tx).await?;
        }
        PortResult::Ok(())
    };
    database.system().write(open).await?;
    let stage =
        Arc::new(Stage { database, unchecked, left: AtomicU64::new(count), stale: AtomicU64::new(0) });
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let stage = Arc::clone(&stage);
        writers.spawn(async move { stage.change(i64::try_from(writer)? % (BY_VERSION + FOR_UPDATE)).await });
    }
    while let Some(ended) = writers.join_next().await {
        ended??;
    }
    let read = async |tx: &mut ReadTx| {
        sql!("select {int sum(balance)} from chaos_account").fetch_one::<(i64,)>(tx).await
    };
    let (stored,) = stage.database.system().read(read).await?;
    Ok(json!({ "updates": count, "stored": stored, "stale": stage.stale.load(Ordering::SeqCst) }))
}

impl Stage {
    /// Changes the row until enough changes were made by all writers together.
    async fn change(&self, id: i64) -> Result<(), BoxError> {
        let take_one = || {
            let fewer = |left: u64| left.checked_sub(1);
            self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fewer).is_ok()
        };
        while take_one() {
            if id < BY_VERSION {
                while !self.change_by_version(id).await? {
                    self.stale.fetch_add(1, Ordering::SeqCst);
                }
            } else {
                self.change_for_update(id).await?;
            }
        }
        Ok(())
    }

    async fn change_by_version(&self, id: i64) -> PortResult<bool> {
        let read = async |tx: &mut ReadTx| {
            sql!("select balance, version from chaos_account where id = ?", id)
                .fetch_one::<(i64, i64)>(tx)
                .await
        };
        let (balance, version) = self.database.system().read(read).await?;
        let write = async |tx: &mut WriteTx| {
            let changed = balance + 1;
            if self.unchecked {
                return sql!("update chaos_account set balance = ? where id = ?", changed, id)
                    .execute(tx)
                    .await;
            }
            sql!(
                "update chaos_account set balance = ?, version = version + 1 where id = ? and version = ?",
                changed,
                id,
                version
            )
            .execute(tx)
            .await
        };
        Ok(self.database.system().write(write).await? == 1)
    }

    async fn change_for_update(&self, id: i64) -> PortResult<()> {
        let write = async |tx: &mut WriteTx| {
            let (balance,): (i64,) = if self.unchecked {
                sql!("select balance from chaos_account where id = ?", id).fetch_one(tx).await?
            } else {
                sql!("select balance from chaos_account where id = ? {for_update}", id).fetch_one(tx).await?
            };
            let changed = balance + 1;
            sql!("update chaos_account set balance = ? where id = ?", changed, id).execute(tx).await
        };
        self.database.system().write(write).await.map(drop)
    }
}
