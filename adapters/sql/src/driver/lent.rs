//! A connection that is closed unless it was given back clean.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Database, Transaction};
use tokio::runtime::Handle;

/// How long a connection may take to answer the ping with which sqlx takes it back. Without an answer it is closed: on a
/// network that went dark it would keep its place in the pool until TCP gives up, a quarter of an hour later.
const RETURN_WITHIN: Duration = Duration::from_secs(2);

/// A connection on loan.
///
/// sqlx returns a connection to its pool whenever it is dropped, also in the middle of a statement or of `BEGIN`, when
/// the next borrower would find itself in somebody else's transaction. So this is the other way round: only
/// [`Lent::give_back`] returns it, and dropping closes it.
pub(crate) struct Lent<DB: Database>(Option<Owner<DB>>);

enum Owner<DB: Database> {
    Pool(PoolConnection<DB>),
    Own(DB::Connection),
    Adopted(Transaction<'static, DB>),
}

impl<DB: Database> Lent<DB> {
    pub(crate) fn from_pool(connection: PoolConnection<DB>) -> Self {
        Self(Some(Owner::Pool(connection)))
    }

    pub(crate) fn own(connection: DB::Connection) -> Self {
        Self(Some(Owner::Own(connection)))
    }

    pub(crate) fn adopted(transaction: Transaction<'static, DB>) -> Self {
        Self(Some(Owner::Adopted(transaction)))
    }

    /// Whether somebody else began its transaction.
    #[cfg(feature = "postgres")]
    pub(crate) fn is_adopted(&self) -> bool {
        matches!(self.0, Some(Owner::Adopted(_)))
    }

    /// The transaction that somebody else began, to end it the way they would.
    pub(crate) fn take_adopted(&mut self) -> Option<Transaction<'static, DB>> {
        match self.0.take() {
            Some(Owner::Adopted(transaction)) => Some(transaction),
            other => {
                self.0 = other;
                None
            }
        }
    }

    /// Returns the connection to its pool. Only after its transaction ended without error.
    pub(crate) fn give_back(mut self) {
        let Some(Owner::Pool(mut connection)) = self.0.take() else { return };
        match Handle::try_current() {
            // Not tracked: it ends by itself within the limit, and nobody waits for it.
            Ok(runtime) => {
                drop(runtime.spawn(tokio::time::timeout(RETURN_WITHIN, connection.return_to_pool())));
            }
            // Without a runtime nobody can ask it; closed, it leaves its place to another one.
            Err(_) => drop(connection.detach()),
        }
    }
}

impl<DB: Database> Drop for Lent<DB> {
    fn drop(&mut self) {
        if let Some(Owner::Pool(connection)) = self.0.take() {
            // Detached, the pool may open another one at once; dropped, its socket or file is closed at once.
            drop(connection.detach());
        }
    }
}

impl<DB: Database> Deref for Lent<DB> {
    type Target = DB::Connection;

    #[expect(clippy::unreachable, reason = "emptied only by methods that take self, and by drop")]
    fn deref(&self) -> &DB::Connection {
        match &self.0 {
            Some(Owner::Pool(connection)) => connection,
            Some(Owner::Own(connection)) => connection,
            Some(Owner::Adopted(transaction)) => transaction,
            None => unreachable!("the connection was given back"),
        }
    }
}

impl<DB: Database> DerefMut for Lent<DB> {
    #[expect(clippy::unreachable, reason = "emptied only by methods that take self, and by drop")]
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match &mut self.0 {
            Some(Owner::Pool(connection)) => connection,
            Some(Owner::Own(connection)) => connection,
            Some(Owner::Adopted(transaction)) => transaction,
            None => unreachable!("the connection was given back"),
        }
    }
}

impl<DB: Database> fmt::Debug for Lent<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Some(Owner::Pool(_)) => "pooled connection",
            Some(Owner::Own(_)) => "own connection",
            Some(Owner::Adopted(_)) => "adopted transaction",
            None => "no connection",
        })
    }
}
