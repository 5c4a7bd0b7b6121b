//! A connection in use: what it is for, whether another borrower can have it, and how its transaction ends.

use std::time::Duration;

use dolmen_ports::{ErrorKind, PortError, PortResult};
use sqlx::{Database, Executor, Pool};

use super::Mode;
use super::lent::Lent;
use super::limits::{purge, within};
use super::settling::{Committing, Settling};

/// A connection that a session holds; the same for all servers.
#[derive(Debug)]
pub(crate) struct Checkout<DB: Database> {
    lent: Lent<DB>,
    mode: Mode,
    /// The pool that it came from; nothing when the connection is its own, or somebody else's.
    pool: Option<Pool<DB>>,
    settling: Settling,
    /// How long one statement may take.
    limit: Duration,
    /// The connection is not fit for another borrower.
    broken: bool,
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
        Self { lent, mode, pool, settling, limit, broken: false }
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

    pub(crate) fn connection(&mut self) -> &mut DB::Connection {
        &mut self.lent
    }

    #[cfg(feature = "postgres")]
    pub(crate) fn is_adopted(&self) -> bool {
        self.lent.is_adopted()
    }

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
            purge(pool);
        }
        if finding == Finding::Broken {
            return error;
        }
        PortError::new(ErrorKind::Unavailable, "database", error.operation())
            .with_detail("the server is read-only now, as after a failover")
            .with_source(error)
    }
}

impl<DB: Database> Checkout<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    /// Commits by this statement and gives the connection back.
    pub(crate) async fn commit(mut self, statement: &'static str) -> PortResult<()> {
        let limit = self.limit;
        if let Some(transaction) = self.lent.take_adopted() {
            return within(limit, "commit", transaction.commit()).await;
        }
        let mut committing = Committing::new(self.lent, self.settling);
        let result = match committing.connection() {
            Some(connection) => within(limit, "commit", connection.execute(statement)).await,
            None => return Ok(()),
        };
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::Timeout) {
            return result.map(drop);
        }
        let lent = committing.answered();
        result?;
        lent.into_iter().for_each(Lent::give_back);
        Ok(())
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
