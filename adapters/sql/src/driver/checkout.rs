//! A connection in use: what it is for, whether another borrower can have it, and how its transaction ends.

use std::time::Duration;

use dolmen_ports::{ErrorKind, PortError, PortResult};
use futures_util::TryFutureExt as _;
use futures_util::future::BoxFuture;
use sqlx::database::HasStatementCache;
use sqlx::{Connection, Database, Executor};

use super::Mode;
use super::lent::Lent;
use super::limits::within;
use super::pool::Pool;
use super::settling::{Committing, Settling};

/// How often a transaction may begin again: one migration changes a table several times, and a server may show a new table to
/// a snapshot that is older than it for a moment more.
const MOST_BEGINS: u8 = 5;

/// A connection that a session holds; the same for all servers.
#[derive(Debug)]
pub(crate) struct Checkout<DB: Database> {
    lent: Lent<DB>,
    mode: Mode,
    pool: Option<Pool<DB>>,
    settling: Settling,
    /// How long one statement may take.
    limit: Duration,
    /// The connection is not fit for another borrower.
    broken: bool,
    /// A statement of this transaction was carried out, or may have been.
    used: bool,
    begun_again: u8,
}

/// What an error says about its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// Another borrower can have it.
    Fit,
    /// It is closed instead, and so are those that wait in the pool: they most likely broke as well.
    Broken,
    /// A transaction that may write was refused a write: the primary has become a replica.
    Demoted,
}

impl<DB: Database> Checkout<DB> {
    pub(crate) fn new(lent: Lent<DB>, mode: Mode, limit: Duration) -> Self {
        let (pool, settling) = (None, Settling::default());
        Self { lent, mode, pool, settling, limit, broken: false, used: false, begun_again: 0 }
    }

    /// The same, with what it shares with the other connections of its pool.
    pub(crate) fn of_pool(mut self, pool: &Pool<DB>, settling: &Settling) -> Self {
        self.pool = Some(pool.clone());
        self.settling = settling.clone();
        self
    }

    pub(crate) fn mode(&self) -> Mode {
        self.mode
    }

    pub(crate) fn limit(&self) -> Duration {
        self.limit
    }

    /// The pool that it came from; nothing when the connection is its own, or somebody else's.
    #[cfg(feature = "mysql")]
    pub(crate) fn pool(&self) -> Option<&Pool<DB>> {
        self.pool.as_ref()
    }

    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        &mut self.lent
    }

    /// Notes that a statement of the transaction was carried out.
    pub(crate) fn note_use(&mut self) {
        self.used = true;
    }

    /// Whether nothing was seen or done yet, so that beginning again is no difference to anybody. Not in a transaction that
    /// somebody else began.
    pub(crate) fn can_begin_again(&self) -> bool {
        let unseen = self.mode == Mode::Single || (self.pool.is_some() && !self.used);
        unseen && self.begun_again < MOST_BEGINS
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_adopted(&self) -> bool {
        self.lent.is_adopted()
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_broken(&self) -> bool {
        self.broken
    }

    /// Acts on what an error says about the connection; what the error means to the caller.
    pub(crate) fn judged(&mut self, error: PortError, finding: Finding) -> PortError {
        if finding == Finding::Fit {
            return error;
        }
        self.broken = true;
        if let Some(pool) = &self.pool {
            pool.purge();
        }
        if finding == Finding::Broken {
            return error;
        }
        demoted(error)
    }
}

/// The server was a primary and takes no writes any more: somebody else is the primary now.
pub(crate) fn demoted(error: PortError) -> PortError {
    PortError::new(ErrorKind::Unavailable, "database", error.operation())
        .with_detail("the server is read-only now, as after a failover")
        .with_source(error)
}

impl<DB: Database> Checkout<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Begins the transaction again, with statements that are prepared anew: a migration has made the old ones stale.
    pub(crate) async fn begin_again(&mut self, begin: Option<&'static str>) -> PortResult<()>
    where
        DB: HasStatementCache,
    {
        self.begun_again += 1;
        let limit = self.limit;
        if let Some(begin) = begin {
            within(limit, "roll back", self.connection().execute("rollback")).await?;
            within(limit, "forget statements", self.connection().clear_cached_statements()).await?;
            within(limit, "begin", self.connection().execute(begin)).await?;
        } else {
            within(limit, "forget statements", self.connection().clear_cached_statements()).await?;
        }
        Ok(())
    }

    /// Commits by this statement and gives the connection back.
    pub(crate) async fn commit(self, statement: &'static str) -> PortResult<()> {
        self.commit_by(|connection| Box::pin(connection.execute(statement).map_ok(drop))).await.map(drop)
    }

    /// Commits in this way and gives the connection back; nothing is told about somebody else's transaction.
    pub(crate) async fn commit_by<T: Send>(
        mut self,
        commit: impl for<'c> FnOnce(&'c mut DB::Connection) -> BoxFuture<'c, Result<T, sqlx::Error>> + Send,
    ) -> PortResult<Option<T>> {
        let limit = self.limit;
        if let Some(transaction) = self.lent.take_adopted() {
            return within(limit, "commit", transaction.commit()).await.map(|()| None);
        }
        let mut committing = Committing::new(self.lent, self.settling);
        let result = match committing.connection() {
            Some(connection) => within(limit, "commit", commit(connection)).await,
            None => return Ok(None),
        };
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout) {
            return result.map(Some);
        }
        let lent = committing.answered();
        let told = result?;
        lent.into_iter().for_each(Lent::give_back);
        Ok(Some(told))
    }

    /// Rolls back by this statement and gives the connection back; after single statements, only gives it back.
    pub(crate) async fn rollback(mut self, statement: &'static str) -> PortResult<()> {
        let limit = self.limit;
        if let Some(transaction) = self.lent.take_adopted() {
            return within(limit, "roll back", transaction.rollback()).await;
        }
        if self.broken {
            // Dropping it closes it.
            return Ok(());
        }
        if self.mode != Mode::Single {
            within(limit, "roll back", self.connection().execute(statement)).await?;
        }
        self.lent.give_back();
        Ok(())
    }
}
