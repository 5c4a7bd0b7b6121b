//! The job queue: the table `dolmen_job`.

mod claim;
mod done;
mod enqueue;
mod fronts;
mod heartbeat;
mod hints;
mod in_steps;
mod inspect;
mod mysql;
mod open_claims;
mod pause;
mod postgres;
mod settle;
mod wake;

use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::jobs::Reach;
use dolmen_ports::{
    ClaimId, ClaimRequest, ClaimedJob, Dialect, Enqueued, ErrorKind, Heartbeat, IdGenerator as _, JobFailure,
    JobFilter, JobId, JobQueue, JobRecord, JobState, KindStats, Lease, NewJob, PortResult, QueueName, ReadTx,
    Rescued, TxDriver, UuidV7Ids, WriteTx,
};
use fronts::Appeared;
pub(crate) use fronts::Fronts;
pub use heartbeat::SqlHeartbeat;
pub(crate) use hints::Hints;
pub(crate) use open_claims::OpenClaims;
pub(crate) use wake::Wake;

use crate::database::{SqlDatabase, SqlTx};
use crate::driver::Mode;

/// So many claims that are over wait for a call that removes their rows anyway: each claim looks through all rows, and a few
/// cost less than a statement.
const MOST_OVER: usize = 8;

/// The job queue in the tables of a SQL database.
///
/// Order is exact within a queue. A worker that takes from several queues gets, of jobs with one priority, those of the
/// queue whose oldest job is due longest first, batch by batch; on SQLite it is exact across queues too.
///
/// # Examples
/// ```
/// use dolmen_ports::{Database, IdGenerator, JobId, JobQueue, NewJob, PortResult, Scope, UuidV7Ids};
/// use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> PortResult<()> {
/// let sql = SqlDatabase::connect("sqlite::memory:", SqlOptions::new()).await?;
/// let (database, queue) = (Database::new(sql.clone()), SqlJobQueue::new(&sql));
/// database.migrate(&[dolmen_sql::MIGRATIONS]).await?;
/// let job = NewJob::new(JobId::new(UuidV7Ids::new().next()), "shop.send_mail", "{}", Scope::System);
/// database.system().write(async |tx| queue.enqueue(tx, vec![job.clone()]).await).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqlJobQueue {
    database: SqlDatabase,
}

impl SqlJobQueue {
    /// The queue of a database.
    pub fn new(database: &SqlDatabase) -> Self {
        Self { database: database.clone() }
    }

    /// Wakes the workers of this process, and of others where that can be done, once the transaction has committed.
    fn wake_after_commit(&self, tx: &mut WriteTx, queues: Vec<QueueName>) {
        let database = self.database.clone();
        tx.after_commit(move || {
            hints::tell(&database, &queues);
            database.wake().wake(queues);
        });
    }

    fn forget_fronts_after_commit(&self, tx: &mut WriteTx) {
        let database = self.database.clone();
        tx.after_commit(move || database.fronts().forget());
    }

    /// Removes the rows of claims that are over, when there are so many. Jobs that their own transactions complete leave them
    /// behind.
    async fn end_claims(&self, at_least: usize) -> PortResult<()> {
        if self.database.open_claims().count_over() >= at_least {
            self.complete_all(&[]).await?;
        }
        Ok(())
    }

    async fn look(&self) -> PortResult<in_steps::Look> {
        let mut tx = self.database.begin(look_mode(&self.database)).await?;
        let look = in_steps::look(&mut tx).await;
        give_back(tx).await?;
        look
    }

    /// Settles jobs, and removes the rows of claims that were over before, which `settle` is told.
    async fn settling<T>(
        &self,
        leases: &[Lease],
        settle: impl AsyncFnOnce(&[ClaimId]) -> PortResult<T>,
    ) -> PortResult<T> {
        let claims = self.database.open_claims();
        let over = claims.take_over();
        let settled = settle(&over).await;
        if settled.is_err() {
            claims.put_back(over);
        }
        // A lost lease is settled too: there is nothing more to say of it.
        if settled.as_ref().err().is_none_or(|error| error.kind() == ErrorKind::LeaseLost) {
            claims.settle(leases);
            self.database.fronts().make_way(leases);
        }
        settled
    }
}

/// How to look without locking anything: a single statement is one round trip, where single statements are no writes.
fn look_mode(database: &SqlDatabase) -> Mode {
    if database.dialect() == Dialect::Sqlite { Mode::Read } else { Mode::Single }
}

/// Gives back the connection of a transaction that only read, or of single statements.
async fn give_back(tx: SqlTx) -> PortResult<()> {
    Box::new(tx).rollback().await
}

#[async_trait]
impl JobQueue for SqlJobQueue {
    fn backend(&self) -> &'static str {
        self.database.dialect().name()
    }

    async fn enqueue(&self, tx: &mut WriteTx, jobs: Vec<NewJob>) -> PortResult<Vec<Enqueued>> {
        jobs.iter().try_for_each(NewJob::check)?;
        let due = jobs.iter().filter(|job| enqueue::is_due(job)).map(|job| job.queue.clone()).collect();
        let appeared = Appeared::of(&jobs);
        let enqueued = enqueue::enqueue(tx.driver_mut()?, &jobs).await?;
        if self.database.dialect() == Dialect::Postgres {
            let database = self.database.clone();
            tx.after_commit(move || database.fronts().meet(&appeared));
        }
        self.wake_after_commit(tx, due);
        Ok(enqueued)
    }

    async fn claim(&self, request: &ClaimRequest) -> PortResult<Vec<ClaimedJob>> {
        if request.limit == 0 || request.kinds.is_empty() {
            return Ok(Vec::new());
        }
        self.end_claims(MOST_OVER).await?;
        let id = ClaimId::new(UuidV7Ids::new().next());
        let jobs = match self.database.dialect() {
            Dialect::Postgres => postgres::claim(&self.database, id, request).await?,
            _ => claim::claim(&self.database, id, request).await?,
        };
        if jobs.is_empty() {
            // There is time now.
            self.end_claims(1).await?;
        } else {
            self.database.open_claims().open(id, jobs.iter().map(|job| job.lease.job));
        }
        Ok(jobs)
    }

    async fn open_heartbeat(&self) -> PortResult<Box<dyn Heartbeat>> {
        Ok(Box::new(SqlHeartbeat::open(&self.database).await?))
    }

    async fn complete(&self, tx: &mut WriteTx, lease: &Lease) -> PortResult<()> {
        let driver: &mut SqlTx = tx.driver_mut()?;
        match driver.dialect() {
            Dialect::Postgres => {
                if !done::complete(driver, &[*lease], &[]).await?.is_empty() {
                    return Err(settle::lease_lost("complete", lease));
                }
            }
            _ => settle::complete(driver, lease).await?,
        }
        let (database, lease) = (self.database.clone(), *lease);
        tx.after_commit(move || {
            database.open_claims().settle([&lease]);
            database.fronts().make_way([&lease]);
        });
        Ok(())
    }

    async fn complete_all(&self, leases: &[Lease]) -> PortResult<Vec<JobId>> {
        self.settling(leases, async |over| match self.database.dialect() {
            Dialect::Postgres => postgres::complete_all(&self.database, leases, over).await,
            _ => in_steps::complete_all(&self.database, leases, over).await,
        })
        .await
    }

    async fn fail(&self, lease: &Lease, failure: &JobFailure) -> PortResult<JobState> {
        let reason = settle::reason(failure);
        let fail =
            async |over: &[ClaimId]| in_steps::fail(&self.database, lease, failure, &reason, over).await;
        self.settling(std::slice::from_ref(lease), fail).await
    }

    async fn release(&self, leases: &[Lease], delay: Duration) -> PortResult<Vec<JobId>> {
        let release = async |over: &[ClaimId]| in_steps::release(&self.database, leases, delay, over).await;
        let changed = self.settling(leases, release).await?;
        if delay.is_zero() {
            hints::tell(&self.database, &changed.queues);
            self.database.wake().wake(changed.queues);
        }
        Ok(settle::lost(leases, &changed.jobs))
    }

    async fn rescue(&self, limit: u32) -> PortResult<Rescued> {
        // A look that locks nothing, since most often there is nothing to rescue.
        let mut look = self.look().await?;
        let mut rescued = Rescued::new(0, 0);
        if look.is_expired {
            let (taken_back, queues) = in_steps::rescue(&self.database, limit).await?;
            hints::tell(&self.database, &queues);
            self.database.wake().wake(queues);
            (rescued, look) = (taken_back, self.look().await?);
        }
        rescued.last_chances = look.last_chances;
        rescued.next_in = look.next_in;
        rescued.oldest_snapshot = look.oldest_snapshot;
        Ok(rescued)
    }

    async fn wait(&self, queues: &[QueueName], timeout: Duration) {
        hints::listen(&self.database);
        self.database.wake().wait(queues, timeout).await;
    }

    fn reach(&self) -> Reach {
        self.database.hints().reach()
    }

    async fn find(&self, tx: &mut ReadTx, job: JobId) -> PortResult<Option<JobRecord>> {
        inspect::find(tx, job).await
    }

    async fn list(&self, tx: &mut ReadTx, filter: &JobFilter) -> PortResult<Vec<JobRecord>> {
        inspect::list(tx, filter).await
    }

    async fn retry(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        let queue = settle::retry(tx.driver_mut()?, job).await?;
        self.wake_after_commit(tx, vec![queue]);
        Ok(())
    }

    async fn discard(&self, tx: &mut WriteTx, job: JobId) -> PortResult<()> {
        settle::discard(tx.driver_mut()?, job).await?;
        // Those behind it in its line may have been passed by.
        self.forget_fronts_after_commit(tx);
        Ok(())
    }

    async fn pause(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        pause::pause(tx.driver_mut()?, queue).await
    }

    async fn resume(&self, tx: &mut WriteTx, queue: &QueueName) -> PortResult<()> {
        pause::resume(tx.driver_mut()?, queue).await?;
        self.forget_fronts_after_commit(tx);
        self.wake_after_commit(tx, vec![queue.clone()]);
        Ok(())
    }

    async fn paused(&self, tx: &mut ReadTx) -> PortResult<Vec<QueueName>> {
        pause::paused(tx).await
    }

    async fn stats(&self, tx: &mut ReadTx) -> PortResult<Vec<KindStats>> {
        inspect::stats(tx).await
    }

    async fn prune(&self, kept_for: Duration, limit: u32) -> PortResult<u64> {
        let mut tx = self.database.begin(Mode::Single).await?;
        let removed = match tx.dialect() {
            Dialect::MySql => mysql::prune(&mut tx, kept_for, limit).await,
            Dialect::Postgres => postgres::prune(&mut tx, kept_for, limit).await,
            _ => settle::prune(kept_for, limit).execute_in(&mut tx).await,
        };
        give_back(tx).await?;
        removed
    }
}

/// A duration as the statements take it.
fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
