//! F22: transactions that meet. Each conflict is arranged: two transactions hold what the other one wants.

use std::sync::Arc;
use std::time::Duration;

use dolmen::ports::Dialect;
use dolmen::{BoxError, Database, PortResult, ReadTx, WriteTx};
use dolmen_sql::{SqlDatabase, SqlOptions, sql};
use serde_json::{Value, json};
use tokio::sync::{Barrier, Notify};
use tokio::task::JoinSet;

use super::ledger::{Attempt, Ledger};
use crate::native::run;

/// Pairs of accounts between which money is sent both ways at once.
const PAIRS: i64 = 4;
/// The account that somebody holds while others want it at once.
const HELD: i64 = 1_000;
/// One in so many of those who want it is kept away until it gives up.
const HOPELESS: u64 = 10;
/// How long one transaction waits for the other one of its pair, should that have failed before.
const MEET_WITHIN: Duration = Duration::from_secs(2);

struct Stage {
    database: Database,
    dialect: Dialect,
    ledger: Ledger,
    /// Where the effect is written that does not belong to the transaction.
    outside: Option<Database>,
}

pub(super) async fn play(url: &str, count: u64, effect_outside: bool) -> Result<Value, BoxError> {
    let sql = SqlDatabase::connect(url, SqlOptions::new().with_max_connections(16)).await?;
    let dialect = sql.dialect();
    if dialect == Dialect::Sqlite {
        return Err("SQLite has one writer, so that two never meet".into());
    }
    let outside = SqlDatabase::connect(url, SqlOptions::new()).await?.database();
    let outside = effect_outside.then_some(outside);
    let stage = Arc::new(Stage { database: sql.database(), dialect, ledger: Ledger::default(), outside });
    stage.open_accounts().await?;
    // A tenth of them gives up; on PostgreSQL a part fails to be serialized.
    let (locks, failures) = (count / 5, if dialect == Dialect::Postgres { count / 5 } else { 0 });
    let deadlocks = stage.deadlocks(count - locks - failures).await?;
    let serialization_failures = stage.serialization_failures(failures).await?;
    let lock_timeouts = stage.lock_timeouts(locks).await?;
    let (lost, doubled) = stage.ledger.audit(&stage.database).await?;
    let strange = stage.ledger.strange();
    Ok(json!({
        "deadlocks": deadlocks,
        "serialization_failures": serialization_failures,
        "lock_timeouts": lock_timeouts,
        "done": stage.ledger.done(),
        "surfaced": stage.ledger.surfaced(),
        "unbounded": stage.ledger.unbounded(),
        "lost": lost,
        "doubled": doubled,
        "money_made": stage.money_made().await?,
        "strange": strange.len(),
        "example": strange.first(),
    }))
}

impl Stage {
    async fn open_accounts(&self) -> PortResult<()> {
        let ids: Vec<i64> = (0..2 * PAIRS).chain([HELD]).collect();
        let open = async |tx: &mut WriteTx| {
            for id in &ids {
                sql!("insert into chaos_account (id, balance, version) values (?, 0, 0)", *id)
                    .execute(tx)
                    .await?;
            }
            PortResult::Ok(())
        };
        self.database.system().write(open).await
    }

    /// What the balances add up to: nothing, since money is only sent around.
    async fn money_made(&self) -> PortResult<i64> {
        let read = async |tx: &mut ReadTx| {
            sql!("select {int sum(balance)} from chaos_account").fetch_one::<(i64,)>(tx).await
        };
        Ok(self.database.system().read(read).await?.0)
    }

    /// Until there were so many: both transactions of a pair hold one row and want the other's.
    async fn deadlocks(self: &Arc<Self>, count: u64) -> Result<u64, BoxError> {
        self.in_pairs(count, Self::transfer).await
    }

    /// Until there were so many: each transaction of a pair writes where the other has read.
    async fn serialization_failures(self: &Arc<Self>, count: u64) -> Result<u64, BoxError> {
        self.in_pairs(count, Self::skew).await
    }

    async fn in_pairs<F, Fut>(self: &Arc<Self>, count: u64, work: F) -> Result<u64, BoxError>
    where
        F: Fn(Arc<Self>, i64, i64, Arc<Barrier>) -> Fut + Copy + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let before = self.ledger.conflicts();
        let mut pairs = JoinSet::new();
        for pair in 0..PAIRS {
            let stage = Arc::clone(self);
            pairs.spawn(async move {
                let (one, two) = (2 * pair, 2 * pair + 1);
                while stage.ledger.conflicts() - before < count {
                    let meeting = Arc::new(Barrier::new(2));
                    let mut both = JoinSet::new();
                    both.spawn(work(Arc::clone(&stage), one, two, Arc::clone(&meeting)));
                    both.spawn(work(Arc::clone(&stage), two, one, meeting));
                    while let Some(ended) = both.join_next().await {
                        ended?;
                    }
                }
                Ok::<_, BoxError>(())
            });
        }
        while let Some(ended) = pairs.join_next().await {
            ended??;
        }
        Ok(self.ledger.conflicts() - before)
    }

    async fn transfer(self: Arc<Self>, from: i64, to: i64, meeting: Arc<Barrier>) {
        let attempt = self.ledger.begin();
        let work = async |tx: &mut WriteTx| {
            if self.dialect == Dialect::Postgres {
                // It looks for a deadlock after a second; there will be thousands.
                run(tx, "set local deadlock_timeout = '5ms'").await?;
            }
            let first = attempt.run(tx, self.outside.as_ref()).await? == 1;
            sql!("update chaos_account set balance = balance - 1 where id = ?", from).execute(tx).await?;
            if first {
                meet(&meeting).await;
            }
            sql!("update chaos_account set balance = balance + 1 where id = ?", to).execute(tx).await?;
            PortResult::Ok(())
        };
        let result = self.database.system().write(work).await;
        self.ledger.end(&attempt, result);
    }

    async fn skew(self: Arc<Self>, own: i64, other: i64, meeting: Arc<Barrier>) {
        let attempt = self.ledger.begin();
        let work = async |tx: &mut WriteTx| {
            run(tx, "set transaction isolation level serializable").await?;
            let first = attempt.run(tx, self.outside.as_ref()).await? == 1;
            let _: (i64,) =
                sql!("select version from chaos_account where id = ?", other).fetch_one(tx).await?;
            if first {
                meet(&meeting).await;
            }
            sql!("update chaos_account set version = version + 1 where id = ?", own).execute(tx).await?;
            PortResult::Ok(())
        };
        let result = self.database.system().write(work).await;
        self.ledger.end(&attempt, result);
    }

    /// Until there were so many: somebody holds a row that a transaction wants at once.
    async fn lock_timeouts(self: &Arc<Self>, count: u64) -> Result<u64, BoxError> {
        let before = self.ledger.conflicts();
        let mut number = 0;
        while self.ledger.conflicts() - before < count {
            number += 1;
            self.want_what_is_held(number % HOPELESS == 0).await?;
        }
        Ok(self.ledger.conflicts() - before)
    }

    async fn want_what_is_held(self: &Arc<Self>, hopeless: bool) -> Result<(), BoxError> {
        let mut holder = self.database.system().begin().await?;
        sql!("update chaos_account set version = version + 1 where id = ?", HELD)
            .execute(&mut holder)
            .await?;
        let (wanted_again, free) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (stage, attempt) = (Arc::clone(self), self.ledger.begin());
        let (tells, waits) = (Arc::clone(&wanted_again), Arc::clone(&free));
        let mut contender = JoinSet::new();
        contender.spawn(async move {
            let work = async |tx: &mut WriteTx| stage.want(tx, &attempt, hopeless, &tells, &waits).await;
            let result = stage.database.system().write(work).await;
            stage.ledger.end(&attempt, result);
        });
        tokio::select! {
            () = wanted_again.notified() => {}
            ended = contender.join_next() => ended.transpose().map(drop)?,
        }
        holder.rollback().await?;
        free.notify_one();
        contender.join_next().await.transpose()?;
        Ok(())
    }

    async fn want(
        &self,
        tx: &mut WriteTx,
        attempt: &Attempt,
        hopeless: bool,
        again: &Notify,
        free: &Notify,
    ) -> PortResult<()> {
        if attempt.run(tx, self.outside.as_ref()).await? > 1 && !hopeless {
            again.notify_one();
            // Notified once for all runs that may still come.
            free.notified().await;
            free.notify_one();
        }
        run(tx, "select version from chaos_account where id = 1000 for update nowait").await
    }
}

async fn meet(meeting: &Barrier) {
    // Who comes alone goes on alone.
    drop(tokio::time::timeout(MEET_WITHIN, meeting.wait()).await);
}
