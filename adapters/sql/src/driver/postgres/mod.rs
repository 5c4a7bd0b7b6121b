//! PostgreSQL: one pool, directly or through a pooler in transaction mode. A pooler is sent nothing that it would lose, at the
//! price of another round trip per statement.

mod array;
mod begin;
mod items;
mod listener;
mod position;
mod route;
mod row;
mod session;
mod time;

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Executor, Postgres};
use tokio::time::Instant;

use self::begin::Begin;
use self::listener::PostgresListener;
use self::route::{Route, probe};
use self::session::PostgresSession;
use super::checkout::{Checkout, demoted};
use super::gate::Gate;
use super::lent::Lent;
use super::limits::within;
use super::pool::Pool;
use super::settling::Settling;
use super::{Backend, Listener, Mode, Session, Standing};
use crate::database::{PostgresUrl, SqlOptions};
use crate::statement::Value;

/// The key of the advisory lock that one migrating process holds: `dolmen` in ASCII.
const MIGRATION_LOCK: i64 = 0x646f_6c6d_656e;

#[derive(Debug)]
pub(crate) struct PostgresBackend {
    pool: Pool<Postgres>,
    gate: Gate,
    settling: Settling,
    options: SqlOptions,
    begin: Begin,
}

impl PostgresBackend {
    pub(crate) async fn connect(url: &PostgresUrl, options: &SqlOptions) -> PortResult<Self> {
        let connect = connect_options(url)?;
        let told = url.pgbouncer.or(options.transaction_pooler).map(Route::of);
        let gate = Gate::default();
        let deadline = Instant::now() + options.start_timeout;
        let route = loop {
            match probe(&gate, &connect, told, options.acquire_timeout).await {
                Err(_) if gate.wait_at_start(deadline).await => {}
                route => break route?,
            }
        };
        if route == Route::Pooled {
            tracing::info!("a pooler in transaction mode stands before PostgreSQL");
        }
        Ok(Self::by_route(connect, route, gate, options))
    }

    /// A server that may be away; the first session finds out.
    pub(crate) fn lazy(url: &PostgresUrl, options: &SqlOptions, pooled: bool) -> PortResult<Self> {
        let route = Route::of(url.pgbouncer.unwrap_or(pooled));
        Ok(Self::by_route(connect_options(url)?, route, Gate::default(), options))
    }

    fn by_route(connect: PgConnectOptions, route: Route, gate: Gate, options: &SqlOptions) -> Self {
        let connect = match route {
            Route::Direct => {
                connect.options([("lock_timeout", options.busy_timeout.as_millis().max(1).to_string())])
            }
            // A statement that was prepared in one transaction is not there in the next.
            Route::Pooled => connect.statement_cache_capacity(0),
        };
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            // BEGIN finds out as well, without a round trip of its own.
            .test_before_acquire(false)
            .connect_lazy_with(connect);
        Self::with_pool(Pool::keeping(pool), route, gate, options)
    }

    pub(crate) fn from_pool(pool: PgPool, options: &SqlOptions) -> Self {
        let route = Route::of(options.transaction_pooler.unwrap_or_default());
        Self::with_pool(Pool::plain(pool), route, Gate::default(), options)
    }

    fn with_pool(pool: Pool<Postgres>, route: Route, gate: Gate, options: &SqlOptions) -> Self {
        let begin = Begin::new(route, options.busy_timeout);
        Self { pool, gate, settling: Settling::default(), options: options.clone(), begin }
    }

    /// A connection on loan before BEGIN is sent: whatever happens from here on, an unfinished transaction closes it.
    async fn lend(&self) -> PortResult<Lent<Postgres>> {
        self.gate.acquire(&self.pool, self.options.acquire_timeout).await
    }

    async fn begin(&self, mode: Mode) -> PortResult<PostgresSession> {
        let mut lent = self.lend().await?;
        if let Some(begin) = self.begin.of(mode) {
            let begun = within(self.options.statement_timeout, "begin", (*lent).execute(begin)).await;
            // All that a server can say against a transaction that may write is that it is a standby.
            let is_demoted = |error: &PortError| error.kind() == ErrorKind::Unsupported;
            begun.map_err(
                |error| if mode == Mode::Write && is_demoted(&error) { demoted(error) } else { error },
            )?;
        }
        Ok(self.session(lent, mode))
    }

    /// Begins a read on a replica that has come to `offset`.
    async fn begin_after(&self, offset: u64) -> PortResult<Option<PostgresSession>> {
        let mut lent = self.lend().await?;
        let asked = position::ask_and_begin(&mut lent, self.begin.read());
        let seen = within(self.options.statement_timeout, "begin", asked).await?;
        let session = self.session(lent, Mode::Read);
        if seen.is_some_and(|seen| seen >= offset) {
            return Ok(Some(session));
        }
        // The primary serves the read now, whether this connection can be used again or not.
        drop(Box::new(session).rollback().await);
        Ok(None)
    }

    fn session(&self, lent: Lent<Postgres>, mode: Mode) -> PostgresSession {
        let checkout = Checkout::new(lent, mode, self.options.statement_timeout);
        PostgresSession::new(checkout.of_pool(&self.pool, &self.settling), self.begin.clone())
    }
}

fn connect_options(url: &PostgresUrl) -> PortResult<PgConnectOptions> {
    let options = PgConnectOptions::from_str(url.text.reveal()).map_err(|error| {
        PortError::new(ErrorKind::InvalidInput, "database", "connect")
            .with_detail(
                "DATABASE_URL: a part is not valid; example: postgres://user:password@localhost:5432/app",
            )
            .with_source(error)
    })?;
    // How floats are written matters to text only, and a pooler may refuse to be told.
    Ok(options.extra_float_digits(None))
}

/// Takes over a transaction that somebody else began.
pub(crate) fn adopt(
    transaction: sqlx::Transaction<'static, Postgres>,
    statement_timeout: Duration,
    pooled: bool,
) -> PostgresSession {
    let checkout = Checkout::new(Lent::adopted(transaction), Mode::Write, statement_timeout);
    // It has begun already, and its waits for locks are its owner's business.
    PostgresSession::new(checkout, Begin::new(Route::of(pooled), statement_timeout))
}

#[async_trait]
impl Backend for PostgresBackend {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn is_pooled(&self) -> bool {
        self.begin.route() == Route::Pooled
    }

    async fn open(&self, mode: Mode) -> PortResult<Box<dyn Session>> {
        self.settling.wait().await;
        let session = match self.begin(mode).await {
            // Nothing was done yet.
            Err(error) if self.gate.can_try_afresh(&self.pool, &error) => {
                self.pool.purge();
                self.begin(mode).await?
            }
            result => result?,
        };
        Ok(Box::new(session))
    }

    async fn open_after(&self, offset: u64) -> PortResult<Option<Box<dyn Session>>> {
        let session = match self.begin_after(offset).await {
            Err(error) if self.gate.can_try_afresh(&self.pool, &error) => {
                self.pool.purge();
                self.begin_after(offset).await?
            }
            result => result?,
        };
        Ok(session.map(|session| Box::new(session) as Box<dyn Session>))
    }

    async fn standing(&self, session: &mut dyn Session, is_primary: bool) -> PortResult<Standing> {
        position::standing(session, is_primary).await
    }

    async fn open_apart(&self) -> PortResult<Box<dyn Session>> {
        let (limit, options) = (self.options.statement_timeout, self.pool.connect_options());
        let connection = self.gate.connect(&*options, limit).await?;
        let checkout = Checkout::new(Lent::own(connection), Mode::Single, limit);
        Ok(Box::new(PostgresSession::new(checkout, self.begin.clone())))
    }

    async fn listen(&self, channel: &'static str) -> PortResult<Option<Box<dyn Listener>>> {
        // Behind a pooler the connection that listens would belong to somebody else with the next transaction.
        if self.is_pooled() {
            return Ok(None);
        }
        let options = PgConnectOptions::clone(&self.pool.connect_options());
        let listener = PostgresListener::connect(options, channel, self.options.statement_timeout).await?;
        Ok(Some(Box::new(listener)))
    }

    async fn lock_migrations(&self, session: &mut dyn Session) -> PortResult<bool> {
        // Ends with the transaction, so it holds behind a pooler, and no killed process keeps it.
        let rows =
            session.fetch("select pg_try_advisory_xact_lock($1)", &[Value::Integer(MIGRATION_LOCK)]).await?;
        let locked = rows.first().map(|row| row.get::<bool>("pg_try_advisory_xact_lock")).transpose()?;
        Ok(locked.unwrap_or(false))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
