//! A connection that is closed unless it was given back clean.

use std::fmt;
use std::ops::{Deref, DerefMut};

use sqlx::{Database, Transaction};

use super::pool::{Loan, Pool};

/// A connection on loan.
///
/// sqlx returns a connection to its pool whenever it is dropped, also in the middle of a statement or of `BEGIN`, when
/// the next borrower would find itself in somebody else's transaction. So this is the other way round: only
/// [`Lent::give_back`] returns it, and dropping closes it.
pub(crate) struct Lent<DB: Database>(Option<Owner<DB>>);

enum Owner<DB: Database> {
    Pool(Pool<DB>, Loan<DB>),
    Own(DB::Connection),
    Adopted(Transaction<'static, DB>),
}

impl<DB: Database> Lent<DB> {
    pub(super) fn of_pool(pool: Pool<DB>, loan: Loan<DB>) -> Self {
        Self(Some(Owner::Pool(pool, loan)))
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
        if let Some(Owner::Pool(pool, loan)) = self.0.take() {
            pool.give_back(loan);
        }
    }
}

impl<DB: Database> Deref for Lent<DB> {
    type Target = DB::Connection;

    #[expect(clippy::unreachable, reason = "emptied only by methods that take self")]
    fn deref(&self) -> &DB::Connection {
        let connection = match &self.0 {
            Some(Owner::Pool(_, loan)) => loan.connection(),
            Some(Owner::Own(connection)) => Some(connection),
            Some(Owner::Adopted(transaction)) => Some(&**transaction),
            None => None,
        };
        connection.unwrap_or_else(|| unreachable!("the connection was given back"))
    }
}

impl<DB: Database> DerefMut for Lent<DB> {
    #[expect(clippy::unreachable, reason = "emptied only by methods that take self")]
    fn deref_mut(&mut self) -> &mut DB::Connection {
        let connection = match &mut self.0 {
            Some(Owner::Pool(_, loan)) => loan.connection_mut(),
            Some(Owner::Own(connection)) => Some(connection),
            Some(Owner::Adopted(transaction)) => Some(&mut **transaction),
            None => None,
        };
        connection.unwrap_or_else(|| unreachable!("the connection was given back"))
    }
}

impl<DB: Database> fmt::Debug for Lent<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Some(Owner::Pool(..)) => "pooled connection",
            Some(Owner::Own(_)) => "own connection",
            Some(Owner::Adopted(_)) => "adopted transaction",
            None => "no connection",
        })
    }
}
