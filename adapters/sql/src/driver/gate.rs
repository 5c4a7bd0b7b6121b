//! The way to new connections: a server that has none left is not asked for one again and again.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dolmen_ports::{ErrorKind, PortError, PortResult};
use sqlx::{Connection, Database};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::lent::Lent;
use super::limits::within;
use super::pool::Pool;
use crate::error::{is_refused_connection, map_connect_error};

/// sqlx tries a refused connection again after 10, 20, 40 ms and so on, and does not say so. After this time we ask
/// ourselves. Few connections take so long, and none that is opened often.
const QUICK: Duration = Duration::from_millis(60);
/// How often somebody who is refused looks for a connection that came back.
const LOOK: Duration = Duration::from_millis(10);
/// The pause after a first refusal; each further one makes it longer by the same, up to the longest. The same again at
/// most is added by chance.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: u32 = 3;

/// The gate of one server; a clone is the same gate. All connections of a process go through it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Gate(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Held by the one who opens a connection.
    opening: tokio::sync::Mutex<()>,
    refusal: Mutex<Option<Refusal>>,
    refused: Notify,
}

/// The server has refused a connection, and nobody was let in since.
#[derive(Debug, Clone, Copy)]
struct Refusal {
    times: u32,
    /// When it may be asked again.
    next: Instant,
}

impl Gate {
    /// Borrows a connection, or opens one while the pool has a place; gives up after `limit`.
    pub(crate) async fn acquire<DB: Database>(
        &self,
        pool: &Pool<DB>,
        limit: Duration,
    ) -> PortResult<Lent<DB>> {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(connection) = pool.try_acquire() {
                return Ok(connection);
            }
            if pool.is_closed() {
                // Says so.
                return in_time(timeout_at(deadline, pool.acquire()).await);
            }
            if self.refusal().is_some() {
                if let Some(connection) = self.wait_while_refused(pool, deadline).await? {
                    return Ok(connection);
                }
            } else if pool.is_full() {
                // Somebody gives one back. If that one broke, its place is filled here.
                tokio::select! {
                    acquired = timeout_at(deadline, pool.acquire()) => match acquired {
                        Ok(Err(error)) if is_refused_connection(&error) => drop(self.refuse()),
                        acquired => return in_time(acquired),
                    },
                    () = self.0.refused.notified() => {}
                }
            } else if let Some(connection) = self.open(pool, deadline).await? {
                return Ok(connection);
            }
        }
    }

    /// Opens a connection outside of a pool.
    pub(crate) async fn connect<C: Connection>(
        &self,
        options: &C::Options,
        limit: Duration,
    ) -> PortResult<C> {
        if let Some(refusal) = self.refusal().filter(|refusal| refusal.next > Instant::now()) {
            return Err(refusal.error());
        }
        let connected = tokio::time::timeout(limit, C::connect_with(options)).await;
        let failed = match connected {
            Ok(Ok(connection)) => {
                self.let_in();
                return Ok(connection);
            }
            Ok(Err(error)) if is_refused_connection(&error) => {
                return Err(self.refuse().error().with_source(error));
            }
            Ok(Err(error)) => Err(map_connect_error(error, "connect")),
            Err(_) => within(Duration::ZERO, "connect", std::future::pending()).await,
        };
        // Whatever is wrong now, it is something else than no connection left.
        self.let_in();
        failed
    }

    /// Whether the server has refused the last connection that somebody wanted.
    pub(crate) fn is_refused(&self) -> bool {
        self.refusal().is_some()
    }

    /// Whether a transaction that could not begin may do so on a fresh connection: the one that waited in the pool had
    /// broken. A server that has none left could not replace those that are closed for it.
    pub(crate) fn can_try_afresh<DB: Database>(&self, pool: &Pool<DB>, error: &PortError) -> bool {
        error.kind() == ErrorKind::Unavailable && !pool.is_closed() && !self.is_refused()
    }

    /// Waits until a server that refused may be asked again, for who starts: a program that ended instead would be started
    /// again, and ask sooner. Not beyond `deadline`; `false` when there is nothing to wait for.
    pub(crate) async fn wait_at_start(&self, deadline: Instant) -> bool {
        match self.refusal() {
            Some(refusal) if refusal.next < deadline && Instant::now() < deadline => {
                sleep_until(refusal.next).await;
                true
            }
            _ => false,
        }
    }

    /// Opens a connection of the pool, one at a time; nothing when the server refuses it.
    async fn open<DB: Database>(&self, pool: &Pool<DB>, deadline: Instant) -> PortResult<Option<Lent<DB>>> {
        let mut opening = pin!(self.0.opening.lock());
        let _turn = loop {
            tokio::select! {
                biased;
                turn = opening.as_mut() => break turn,
                () = sleep_until(deadline.min(Instant::now() + LOOK)) => {}
            }
            // Whoever opens one may be slow; those that are given back are not.
            if let Some(connection) = pool.try_acquire() {
                return Ok(Some(connection));
            }
            if Instant::now() >= deadline {
                return in_time::<DB, _>(Err(())).map(Some);
            }
        };
        // Meanwhile somebody may have opened or given back one, or was refused.
        if let Some(connection) = pool.try_acquire() {
            return Ok(Some(connection));
        }
        // Where all places are taken, whoever came first gets what comes back.
        if self.refusal().is_some() || pool.is_full() {
            return Ok(None);
        }
        let quick = deadline.min(Instant::now() + QUICK);
        let mut acquiring = pin!(pool.open());
        let acquired = if let Ok(acquired) = timeout_at(quick, acquiring.as_mut()).await {
            acquired
        } else {
            // It goes on meanwhile: the way to the server may just be long.
            tokio::select! {
                biased;
                acquired = acquiring.as_mut() => acquired,
                is_refused = self.is_refused_now(pool, deadline) => {
                    if is_refused {
                        return Ok(None);
                    }
                    return in_time(timeout_at(deadline, acquiring).await).map(Some);
                }
            }
        };
        match acquired {
            Err(error) if is_refused_connection(&error) => {
                self.refuse();
                Ok(None)
            }
            acquired => in_time::<DB, ()>(Ok(acquired)).map(Some),
        }
    }

    /// Asks the server for a connection, only to see whether it refuses.
    async fn is_refused_now<DB: Database>(&self, pool: &Pool<DB>, deadline: Instant) -> bool {
        let options = pool.connect_options();
        match timeout_at(deadline, DB::Connection::connect_with(&options)).await {
            Ok(Ok(connection)) => {
                self.let_in();
                drop(timeout_at(deadline, connection.close()).await);
                false
            }
            Ok(Err(error)) if is_refused_connection(&error) => {
                self.refuse();
                true
            }
            // The pool finds out and says so.
            _ => {
                self.let_in();
                false
            }
        }
    }

    /// Waits until a connection came back, or the server lets somebody in.
    async fn wait_while_refused<DB: Database>(
        &self,
        pool: &Pool<DB>,
        deadline: Instant,
    ) -> PortResult<Option<Lent<DB>>> {
        while let Some(refusal) = self.refusal() {
            if let Some(connection) = pool.try_acquire() {
                return Ok(Some(connection));
            }
            if pool.is_closed() {
                return Ok(None);
            }
            if Instant::now() >= deadline {
                return Err(refusal.error());
            }
            if refusal.next <= Instant::now()
                && let Ok(_turn) = self.0.opening.try_lock()
            {
                self.is_refused_now(pool, deadline).await;
            } else {
                sleep_until(deadline.min(Instant::now() + LOOK)).await;
            }
        }
        Ok(None)
    }

    fn refusal(&self) -> Option<Refusal> {
        *self.0.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn let_in(&self) {
        *self.0.refusal.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn refuse(&self) -> Refusal {
        let mut refusal = self.0.refusal.lock().unwrap_or_else(PoisonError::into_inner);
        let times = refusal.map_or(0, |refusal| refusal.times) + 1;
        let pause = pause_after(times);
        let refused = Refusal { times, next: Instant::now() + pause };
        *refusal = Some(refused);
        drop(refusal);
        tracing::warn!(times, ?pause, "the database server has no connection left for this process");
        self.0.refused.notify_waiters();
        refused
    }
}

impl Refusal {
    fn error(self) -> PortError {
        PortError::new(ErrorKind::Unavailable, "database", "connect")
            .with_detail(
                "the server has no connection left; raise its max_connections, or give the programs that share it smaller \
                 pools",
            )
            .with_retry_after(self.next.saturating_duration_since(Instant::now()))
    }
}

/// Longer with each refusal, and by chance, so that programs that were refused together do not come back together.
fn pause_after(times: u32) -> Duration {
    let random = RandomState::new().build_hasher().finish();
    let longest = u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
    PAUSE * times.min(LONGEST_PAUSE) + Duration::from_millis(random % longest.max(1))
}

fn in_time<DB: Database, E>(acquired: Result<Result<Lent<DB>, sqlx::Error>, E>) -> PortResult<Lent<DB>> {
    let acquired = acquired.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    acquired.map_err(|error| map_connect_error(error, "acquire a connection"))
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use sqlx::sqlite::SqlitePoolOptions;

    use super::*;

    #[tokio::test]
    async fn a_refusal_keeps_nobody_from_hearing_that_the_pool_is_closed() {
        let pool = SqlitePoolOptions::new().max_connections(2).connect("sqlite::memory:").await.unwrap();
        let (borrowed, idle) = (pool.acquire().await.unwrap(), pool.acquire().await.unwrap());
        drop(idle);
        while pool.num_idle() == 0 {
            tokio::task::yield_now().await;
        }
        let pool = Pool::plain(pool);
        let gate = Gate::default();
        gate.refuse();
        // It waits for what is borrowed, with a connection still idle: nobody gets that one any more.
        let mut closing = std::pin::pin!(pool.close());
        assert!(futures_util::poll!(closing.as_mut()).is_pending());
        let error = gate.acquire(&pool, Duration::from_secs(1)).await.map(drop).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.chain().contains("closed pool"), "{}", error.chain());
        drop(borrowed);
        closing.await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_starts_waits_for_a_refusal_and_for_nothing_else() {
        let gate = Gate::default();
        let deadline = Instant::now() + Duration::from_mins(1);
        assert!(!gate.wait_at_start(deadline).await);
        gate.refuse();
        assert!(gate.wait_at_start(deadline).await);
        // The server was asked again and said something else.
        gate.let_in();
        assert!(!gate.wait_at_start(deadline).await);
        gate.refuse();
        assert!(!gate.wait_at_start(Instant::now()).await);
    }
}
