//! A pool whose connections go from one borrower to the next.
//!
//! sqlx asks each connection that comes back whether it is well: a round trip, for which the next borrower may have to wait. One whose
//! transaction has just ended well needs no question. So it stays here for a moment, and goes to sqlx when nobody has wanted it, or
//! when sqlx has not seen it for a while: sqlx closes what has lived for long or is wanted by nobody.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, Database};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep, timeout};

use super::lent::Lent;

/// A connection comes back to sqlx after this time, at the end of a transaction.
const SEEN_EVERY: Duration = Duration::from_secs(1);

/// How long a connection may take to answer the question with which sqlx takes it back. Without an answer it is closed: on a
/// network that went dark it would keep its place in the pool until TCP gives up, a quarter of an hour later.
const RETURN_WITHIN: Duration = Duration::from_secs(2);

/// A pool; a clone is the same pool.
pub(crate) struct Pool<DB: Database>(Arc<Shared<DB>>);

struct Shared<DB: Database> {
    sqlx: sqlx::Pool<DB>,
    /// Nothing where connections go back to sqlx at once.
    kept: Option<Mutex<Kept<DB>>>,
}

/// Connections that nobody uses, or those who wait for one; never both.
struct Kept<DB: Database> {
    idle: Vec<Loan<DB>>,
    waiting: VecDeque<oneshot::Sender<Loan<DB>>>,
    /// How many wait for sqlx alone. While somebody does and no place is free, what comes back goes to sqlx.
    opening: usize,
    /// Takes idle connections to sqlx.
    returning: Option<AbortHandle>,
    is_closed: bool,
}

/// A connection that sqlx lent. Dropped, it is closed and leaves its place to another one.
pub(crate) struct Loan<DB: Database> {
    connection: Option<PoolConnection<DB>>,
    lent_at: Instant,
}

impl<DB: Database> Pool<DB> {
    /// A pool that nobody else uses: others would wait for what is kept.
    pub(crate) fn keeping(sqlx: sqlx::Pool<DB>) -> Self {
        let (idle, waiting) = (Vec::new(), VecDeque::new());
        let kept = Kept { idle, waiting, opening: 0, returning: None, is_closed: false };
        Self(Arc::new(Shared { sqlx, kept: Some(Mutex::new(kept)) }))
    }

    /// A pool whose connections go back to sqlx at once.
    pub(crate) fn plain(sqlx: sqlx::Pool<DB>) -> Self {
        Self(Arc::new(Shared { sqlx, kept: None }))
    }

    /// A connection that nobody uses, if there is one.
    pub(crate) fn try_acquire(&self) -> Option<Lent<DB>> {
        let kept = self.0.kept().and_then(|mut kept| kept.idle.pop());
        kept.or_else(|| self.0.sqlx.try_acquire().map(Loan::new)).map(|loan| self.lend(loan))
    }

    /// Waits for a connection that comes back, also by giving up one that is being opened. Who came first is served first. May be
    /// dropped.
    pub(crate) async fn acquire(&self) -> Result<Lent<DB>, sqlx::Error> {
        let mut waiting = match self.wait() {
            Ok(loan) => return Ok(self.lend(loan)),
            Err(waiting) => waiting,
        };
        tokio::select! {
            biased;
            Ok(loan) = &mut waiting.handed => Ok(self.lend(loan)),
            acquired = self.0.sqlx.acquire() => Ok(self.lend(Loan::new(acquired?))),
        }
    }

    /// Waits for sqlx, which opens a connection while there is a place for one. May be dropped.
    pub(crate) async fn open(&self) -> Result<Lent<DB>, sqlx::Error> {
        if let Some(mut kept) = self.0.kept() {
            if let Some(loan) = kept.idle.pop() {
                return Ok(self.lend(loan));
            }
            kept.opening += 1;
        }
        let _opening = Opening(&self.0);
        Ok(self.lend(Loan::new(self.0.sqlx.acquire().await?)))
    }

    /// Whether all places are taken.
    pub(crate) fn is_full(&self) -> bool {
        self.0.sqlx.size() >= self.0.sqlx.options().get_max_connections()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.sqlx.is_closed()
    }

    pub(crate) fn connect_options(&self) -> Arc<<DB::Connection as Connection>::Options> {
        self.0.sqlx.connect_options()
    }

    /// Closes the connections that nobody uses: when one broke, the others most likely did.
    pub(crate) fn purge(&self) {
        let idle = self.0.kept().map(|mut kept| std::mem::take(&mut kept.idle));
        drop(idle);
        while let Some(connection) = self.0.sqlx.try_acquire() {
            drop(Loan::new(connection));
        }
    }

    /// Gives back what was lent, after its transaction ended well.
    pub(super) fn give_back(&self, mut loan: Loan<DB>) {
        // Without a runtime nobody can take it to sqlx.
        let Ok(runtime) = Handle::try_current() else { return };
        let Some(mut kept) = self.0.kept().filter(|kept| !kept.is_closed && !loan.is_due()) else {
            loan.give_back(&runtime);
            return;
        };
        // Who waits for sqlx alone has its turn there, among those who wait here and there.
        if kept.opening > 0 && self.is_full() {
            loan.give_back(&runtime);
            return;
        }
        while let Some(next) = kept.waiting.pop_front() {
            match next.send(loan) {
                Ok(()) => return,
                Err(unwanted) => loan = unwanted,
            }
        }
        kept.idle.push(loan);
        if kept.returning.as_ref().is_none_or(AbortHandle::is_finished) {
            let returning = runtime.spawn(return_idle(Arc::downgrade(&self.0)));
            kept.returning = Some(returning.abort_handle());
        }
    }

    /// Closes all connections, those in use when they come back.
    pub(crate) async fn close(&self) {
        let idle = self.0.kept().map(|mut kept| {
            kept.is_closed = true;
            kept.waiting.clear();
            std::mem::take(&mut kept.idle)
        });
        // From here on nobody gets one; it waits for all that were lent.
        let closed = self.0.sqlx.close();
        for mut loan in idle.into_iter().flatten() {
            if let Some(mut connection) = loan.connection.take() {
                drop(timeout(RETURN_WITHIN, connection.return_to_pool()).await);
            }
        }
        closed.await;
    }

    fn lend(&self, loan: Loan<DB>) -> Lent<DB> {
        Lent::of_pool(self.clone(), loan)
    }

    /// A connection that nobody uses, or a place in the queue for one.
    fn wait(&self) -> Result<Loan<DB>, Waiting<'_, DB>> {
        let (hand, handed) = oneshot::channel();
        if let Some(mut kept) = self.0.kept().filter(|kept| !kept.is_closed) {
            if let Some(loan) = kept.idle.pop() {
                return Ok(loan);
            }
            while kept.waiting.front().is_some_and(oneshot::Sender::is_closed) {
                kept.waiting.pop_front();
            }
            kept.waiting.push_back(hand);
        }
        Err(Waiting { pool: self, handed })
    }
}

impl<DB: Database> Shared<DB> {
    fn kept(&self) -> Option<MutexGuard<'_, Kept<DB>>> {
        self.kept.as_ref().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<DB: Database> Loan<DB> {
    pub(super) fn new(connection: PoolConnection<DB>) -> Self {
        Self { connection: Some(connection), lent_at: Instant::now() }
    }

    pub(super) fn connection(&self) -> Option<&DB::Connection> {
        self.connection.as_deref()
    }

    pub(super) fn connection_mut(&mut self) -> Option<&mut DB::Connection> {
        self.connection.as_deref_mut()
    }

    fn is_due(&self) -> bool {
        self.lent_at.elapsed() >= SEEN_EVERY
    }

    /// Gives it back to sqlx, in a task that nobody waits for: it ends by itself within the limit.
    pub(super) fn give_back(mut self, runtime: &Handle) {
        if let Some(mut connection) = self.connection.take() {
            drop(runtime.spawn(timeout(RETURN_WITHIN, connection.return_to_pool())));
        }
    }
}

impl<DB: Database> Drop for Loan<DB> {
    fn drop(&mut self) {
        // Detached, the pool may open another one at once; dropped, its socket or file is closed at once.
        drop(self.connection.take().map(PoolConnection::detach));
    }
}

/// A place in the queue; what comes too late goes to the next.
struct Waiting<'p, DB: Database> {
    pool: &'p Pool<DB>,
    handed: oneshot::Receiver<Loan<DB>>,
}

impl<DB: Database> Drop for Waiting<'_, DB> {
    fn drop(&mut self) {
        self.handed.close();
        if let Ok(loan) = self.handed.try_recv() {
            self.pool.give_back(loan);
        }
    }
}

/// Somebody who waits for sqlx alone.
struct Opening<'p, DB: Database>(&'p Shared<DB>);

impl<DB: Database> Drop for Opening<'_, DB> {
    fn drop(&mut self) {
        if let Some(mut kept) = self.0.kept() {
            kept.opening -= 1;
        }
    }
}

/// Takes what nobody has wanted to sqlx, until there is none.
async fn return_idle<DB: Database>(pool: Weak<Shared<DB>>) {
    loop {
        sleep(SEEN_EVERY).await;
        let Some(shared) = pool.upgrade() else { return };
        let Some(mut kept) = shared.kept() else { return };
        let (due, idle): (Vec<_>, Vec<_>) =
            std::mem::take(&mut kept.idle).into_iter().partition(Loan::is_due);
        kept.idle = idle;
        let is_last = kept.idle.is_empty();
        if is_last {
            kept.returning = None;
        }
        drop(kept);
        for loan in due {
            loan.give_back(&Handle::current());
        }
        if is_last {
            return;
        }
    }
}

impl<DB: Database> Clone for Pool<DB> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<DB: Database> fmt::Debug for Pool<DB> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.0.sqlx).finish()
    }
}

#[cfg(all(test, feature = "sqlite"))]
#[expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
mod tests {
    use futures_util::poll;
    use sqlx::Executor as _;
    use sqlx::sqlite::{Sqlite, SqlitePoolOptions};

    use super::*;

    fn sqlx_pool(connections: u32) -> sqlx::SqlitePool {
        SqlitePoolOptions::new().max_connections(connections).connect_lazy("sqlite::memory:").unwrap()
    }

    /// Its connection has a table that no other one has.
    async fn marked(pool: &Pool<Sqlite>) -> Lent<Sqlite> {
        let mut lent = pool.acquire().await.unwrap();
        lent.execute("create temp table mark (id integer)").await.unwrap();
        lent
    }

    async fn is_marked(lent: &mut Lent<Sqlite>) -> bool {
        lent.execute("select id from mark").await.is_ok()
    }

    async fn until_idle(pool: &Pool<Sqlite>, connections: usize) {
        while pool.0.sqlx.num_idle() != connections {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn the_next_borrower_has_what_was_given_back_at_once() {
        let pool = Pool::keeping(sqlx_pool(2));
        marked(&pool).await.give_back();
        let mut next = pool.try_acquire().expect("nobody has it");
        assert!(is_marked(&mut next).await);
        assert!(pool.try_acquire().is_none());
    }

    #[tokio::test]
    async fn who_waits_first_is_served_first_and_who_comes_anew_last() {
        let pool = Pool::keeping(sqlx_pool(1));
        let lent = marked(&pool).await;
        let (mut first, mut second) = (Box::pin(pool.acquire()), Box::pin(pool.acquire()));
        assert!(poll!(first.as_mut()).is_pending() && poll!(second.as_mut()).is_pending());
        lent.give_back();
        assert!(pool.try_acquire().is_none(), "it is the first one's");
        assert!(poll!(second.as_mut()).is_pending());
        let mut lent = first.await.unwrap();
        assert!(is_marked(&mut lent).await);
        lent.give_back();
        assert!(is_marked(&mut second.await.unwrap()).await);
    }

    #[tokio::test]
    async fn what_was_handed_to_one_who_went_away_goes_to_the_next() {
        let pool = Pool::keeping(sqlx_pool(1));
        let lent = marked(&pool).await;
        let (mut first, mut second) = (Box::pin(pool.acquire()), Box::pin(pool.acquire()));
        let mut gone = Box::pin(pool.acquire());
        assert!(poll!(gone.as_mut()).is_pending());
        assert!(poll!(first.as_mut()).is_pending() && poll!(second.as_mut()).is_pending());
        drop(gone);
        lent.give_back();
        drop(first);
        assert!(is_marked(&mut second.await.unwrap()).await);
    }

    #[tokio::test]
    async fn a_dropped_connection_leaves_its_place_to_who_waits() {
        let pool = Pool::keeping(sqlx_pool(1));
        let lent = marked(&pool).await;
        let mut next = Box::pin(pool.acquire());
        assert!(poll!(next.as_mut()).is_pending());
        drop(lent);
        assert!(!is_marked(&mut next.await.unwrap()).await);
    }

    #[tokio::test]
    async fn what_nobody_wants_comes_to_sqlx() {
        let pool = Pool::keeping(sqlx_pool(2));
        let lent = marked(&pool).await;
        tokio::time::pause();
        lent.give_back();
        assert_eq!(pool.0.sqlx.num_idle(), 0);
        sleep(SEEN_EVERY * 2).await;
        until_idle(&pool, 1).await;
        // And a second time, with a task of its own.
        let mut lent = pool.try_acquire().expect("sqlx has it");
        assert!(is_marked(&mut lent).await);
        lent.give_back();
        sleep(SEEN_EVERY * 2).await;
        until_idle(&pool, 1).await;
    }

    #[tokio::test]
    async fn one_in_constant_use_is_seen_by_sqlx_too() {
        let pool = Pool::keeping(sqlx_pool(1));
        let lent = marked(&pool).await;
        tokio::time::pause();
        sleep(SEEN_EVERY).await;
        lent.give_back();
        assert!(pool.try_acquire().is_none());
        until_idle(&pool, 1).await;
    }

    #[tokio::test]
    async fn nothing_is_kept_from_who_waits_for_a_place_to_open_one() {
        let pool = Pool::keeping(sqlx_pool(1));
        let lent = marked(&pool).await;
        let mut opening = Box::pin(pool.open());
        assert!(poll!(opening.as_mut()).is_pending());
        lent.give_back();
        let mut lent = opening.await.unwrap();
        assert!(is_marked(&mut lent).await);
        lent.give_back();
        assert!(pool.try_acquire().is_some(), "kept again");
    }

    #[tokio::test]
    async fn a_purge_closes_what_is_kept_and_nothing_that_is_lent() {
        let pool = Pool::keeping(sqlx_pool(2));
        let (kept, mut lent) = (marked(&pool).await, marked(&pool).await);
        kept.give_back();
        pool.purge();
        assert!(pool.try_acquire().is_none());
        assert!(is_marked(&mut lent).await);
        assert!(!is_marked(&mut pool.acquire().await.unwrap()).await);
    }

    #[tokio::test]
    async fn closing_waits_for_what_is_lent_and_nobody_gets_what_was_kept() {
        let pool = Pool::keeping(sqlx_pool(2));
        let (kept, lent) = (marked(&pool).await, marked(&pool).await);
        kept.give_back();
        let mut closing = Box::pin(pool.close());
        while poll!(closing.as_mut()).is_pending() && pool.0.sqlx.size() > 1 {
            tokio::task::yield_now().await;
        }
        assert!(pool.is_closed() && pool.try_acquire().is_none());
        assert!(matches!(pool.acquire().await, Err(sqlx::Error::PoolClosed)));
        assert!(poll!(closing.as_mut()).is_pending());
        lent.give_back();
        closing.await;
        assert_eq!(pool.0.sqlx.size(), 0);
    }

    #[tokio::test]
    async fn a_plain_pool_keeps_nothing() {
        let pool = Pool::plain(sqlx_pool(1));
        marked(&pool).await.give_back();
        let mut theirs = pool.0.sqlx.acquire().await.unwrap();
        assert!(theirs.execute("select id from mark").await.is_ok());
    }

    #[test]
    fn without_a_runtime_a_connection_is_closed() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (pool, lent) = runtime.block_on(async {
            let pool = Pool::keeping(sqlx_pool(1));
            (pool.clone(), marked(&pool).await)
        });
        lent.give_back();
        assert_eq!(pool.0.sqlx.size(), 0);
    }
}
