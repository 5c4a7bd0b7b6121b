//! F21: a unit of work is dropped at each of its awaits, and the next borrower of its connection looks around.

use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use dolmen::ports::NewJob;
use dolmen::{
    BoxError, Database, IdGenerator, JobId, JobQueue, PortResult, ReadFrom, ReadTx, Scope, UuidV7Ids, WriteTx,
};
use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions, sql};
use serde_json::{Value, json};

use super::leftovers::Recycling;

/// More awaits than any of the units has.
const MAX_WAITS: usize = 5_000;
/// How long the next borrower may take: the connection of the one before it must have been replaced by then.
const BORROWED_WITHIN: Duration = Duration::from_secs(5);
/// How long a server may take to notice that a connection is gone.
const NOTICED_WITHIN: Duration = Duration::from_secs(5);

/// A unit of work, and how many rows it leaves behind.
#[derive(Debug, Clone, Copy)]
enum Unit {
    /// `write`: two rows and a job.
    Write,
    /// `begin` and `commit`: two rows.
    ByHand,
    /// `read`: no row.
    Read,
}

impl Unit {
    const ALL: [Self; 3] = [Self::Write, Self::ByHand, Self::Read];

    fn rows(self) -> i64 {
        match self {
            Self::Write | Self::ByHand => 2,
            Self::Read => 0,
        }
    }
}

#[derive(Debug)]
struct Stage {
    /// Over one connection, so that the next borrower gets what the one before left.
    database: Database,
    queue: SqlJobQueue,
    /// Over connections of its own.
    observer: Database,
    next_unit: i64,
    cancelled: u64,
    /// Borrowers that found something left, or could not work.
    poisoned: Vec<String>,
    /// Units of which a part was committed.
    torn: u64,
    idle_transactions: i64,
}

pub(super) async fn play(url: &str, rounds: u32, recycle: bool) -> Result<Value, BoxError> {
    let one = SqlOptions::new().with_max_connections(1).with_busy_timeout(Duration::from_secs(2));
    let sql = SqlDatabase::connect(url, one).await?;
    let queue = SqlJobQueue::new(&sql);
    let database = if recycle { Database::new(Recycling::new(sql)) } else { sql.database() };
    let observer = SqlDatabase::connect(url, SqlOptions::new().with_max_connections(2)).await?.database();
    let account = async |tx: &mut WriteTx| {
        sql!("insert into chaos_account (id, balance, version) values (1, 0, 0)").execute(tx).await
    };
    observer.system().write(account).await?;
    let mut stage = Stage {
        database,
        queue,
        observer,
        next_unit: 0,
        cancelled: 0,
        poisoned: Vec::new(),
        torn: 0,
        idle_transactions: 0,
    };
    for _ in 0..rounds {
        for unit in Unit::ALL {
            stage.cancel_everywhere(unit).await?;
        }
        stage.count_idle_transactions().await?;
    }
    Ok(json!({
        "rounds": rounds,
        "cancelled": stage.cancelled,
        "poisoned": stage.poisoned.len(),
        "torn": stage.torn,
        "idle_transactions": stage.idle_transactions,
        "example": stage.poisoned.first(),
    }))
}

impl Stage {
    /// Drops the unit at its first await, then at its second, until it is through.
    async fn cancel_everywhere(&mut self, unit: Unit) -> Result<(), BoxError> {
        for waits in 0..MAX_WAITS {
            self.next_unit += 1;
            let number = self.next_unit;
            let done = after_waits(waits, self.run(unit, number)).await;
            self.cancelled += u64::from(done.is_none());
            let before = self.balance().await?;
            let borrowed = tokio::time::timeout(BORROWED_WITHIN, self.borrow(number)).await;
            let found = match borrowed {
                Ok(Ok(seen)) => self.look_at(unit, number, seen, before).await?,
                Ok(Err(error)) => Some(error.chain()),
                Err(_) => Some("the connection did not come free".to_owned()),
            };
            self.poisoned.extend(found.map(|found| format!("{unit:?} after {waits} awaits: {found}")));
            match done {
                Some(Ok(())) => return Ok(()),
                // A recycled transaction may well spoil the unit that comes after it.
                Some(Err(error)) => self.poisoned.push(format!("{unit:?}: {}", error.chain())),
                None => {}
            }
            if self.poisoned.len() > 100 {
                return Ok(());
            }
        }
        Err("a unit did not end".into())
    }

    async fn run(&self, unit: Unit, number: i64) -> PortResult<()> {
        let system = self.database.system();
        match unit {
            Unit::Write => {
                system
                    .write(async |tx: &mut WriteTx| {
                        write_part(tx, number, 1).await?;
                        let id = JobId::new(UuidV7Ids::new().next());
                        let job = NewJob::new(id, "chaos.nobody_runs_it", "{}", Scope::System);
                        self.queue.enqueue(tx, vec![job]).await?;
                        write_part(tx, number, 2).await
                    })
                    .await
            }
            Unit::ByHand => {
                let mut tx = system.begin().await?;
                write_part(&mut tx, number, 1).await?;
                write_part(&mut tx, number, 2).await?;
                tx.commit().await
            }
            Unit::Read => {
                let mut tx = system.begin_read(ReadFrom::Primary).await?;
                parts(&mut tx, number).await?;
                parts(&mut tx, number).await?;
                tx.end().await
            }
        }
    }

    /// What the next borrower of the connection does: it reads what the unit left, and writes something of its own.
    async fn borrow(&self, number: i64) -> PortResult<i64> {
        self.database
            .system()
            .write(async |tx: &mut WriteTx| {
                let seen = parts(tx, number).await?;
                sql!("update chaos_account set balance = balance + 1 where id = 1").execute(tx).await?;
                PortResult::Ok(seen)
            })
            .await
    }

    /// Holds what the borrower saw against what is committed; what is wrong with it.
    async fn look_at(
        &mut self,
        unit: Unit,
        number: i64,
        seen: i64,
        before: i64,
    ) -> Result<Option<String>, BoxError> {
        let (stored, after) = (self.observed_parts(number).await?, self.balance().await?);
        self.torn += u64::from(stored != 0 && stored != unit.rows());
        let clean = seen == stored && after == before + 1;
        Ok((!clean).then(|| {
            format!("it saw {seen} rows of {stored}, and its own change counted {} times", after - before)
        }))
    }

    async fn observed_parts(&self, number: i64) -> PortResult<i64> {
        self.observer.system().read(async |tx: &mut ReadTx| parts(tx, number).await).await
    }

    async fn balance(&self) -> PortResult<i64> {
        let read = async |tx: &mut ReadTx| {
            sql!("select balance from chaos_account where id = 1").fetch_one::<(i64,)>(tx).await
        };
        Ok(self.observer.system().read(read).await?.0)
    }

    /// Counts the transactions that the server still holds open, once it had time to notice.
    async fn count_idle_transactions(&mut self) -> Result<(), BoxError> {
        let read = async |tx: &mut ReadTx| {
            sql!("select idle from chaos_idle_transaction").fetch_one::<(i64,)>(tx).await
        };
        let started = tokio::time::Instant::now();
        loop {
            let (idle,) = self.observer.system().read(read).await?;
            if idle == 0 || started.elapsed() > NOTICED_WITHIN {
                self.idle_transactions += idle;
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

async fn write_part(tx: &mut WriteTx, unit: i64, part: i64) -> PortResult<()> {
    sql!("insert into chaos_unit (unit, part) values (?, ?)", unit, part).execute(tx).await.map(drop)
}

async fn parts(tx: &mut ReadTx, unit: i64) -> PortResult<i64> {
    let (count,) = sql!("select count(*) from chaos_unit where unit = ?", unit).fetch_one(tx).await?;
    Ok(count)
}

/// Polls a future until it has waited `waits` times, then drops it; nothing when it was dropped.
async fn after_waits<T>(waits: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = waits;
    std::future::poll_fn(|context| match (future.as_mut().poll(context), left.checked_sub(1)) {
        (Poll::Ready(value), _) => Poll::Ready(Some(value)),
        (Poll::Pending, None) => Poll::Ready(None),
        (Poll::Pending, Some(fewer)) => {
            left = fewer;
            Poll::Pending
        }
    })
    .await
}
