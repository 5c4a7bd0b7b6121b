//! PostgreSQL: one pool, and nothing that a pooler in transaction mode would lose.

mod row;
mod session;
mod time;

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult, Secret};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{Connection, Executor, PgConnection};

use self::session::PostgresSession;
use super::checkout::Checkout;
use super::lent::Lent;
use super::limits::{purge, within};
use super::settling::Settling;
use super::{Backend, Mode, Session};
use crate::database::SqlOptions;
use crate::error::map_error;
use crate::statement::Value;

/// The key of the advisory lock that one migrating process holds: `dolmen` in ASCII.
const MIGRATION_LOCK: i64 = 0x646f_6c6d_656e;
/// The oldest major version that the suites hold for.
const OLDEST_VERSION: u32 = 13;

#[derive(Debug)]
pub(crate) struct PostgresBackend {
    pool: PgPool,
    settling: Settling,
    options: SqlOptions,
}

impl PostgresBackend {
    pub(crate) async fn connect(url: &Secret<String>, options: &SqlOptions) -> PortResult<Self> {
        let connect = PgConnectOptions::from_str(url.reveal()).map_err(|error| {
            PortError::new(ErrorKind::InvalidInput, "database", "connect")
                .with_detail(
                    "DATABASE_URL: a part is not valid; example: postgres://user:password@localhost:5432/app",
                )
                .with_source(error)
        })?;
        probe(&connect, options.acquire_timeout).await?;
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            // BEGIN finds out as well, without a round trip of its own.
            .test_before_acquire(false)
            .connect_lazy_with(connect);
        Ok(Self::from_pool(pool, options))
    }

    pub(crate) fn from_pool(pool: PgPool, options: &SqlOptions) -> Self {
        Self { pool, settling: Settling::default(), options: options.clone() }
    }

    async fn begin(&self, mode: Mode) -> PortResult<PostgresSession> {
        let connection =
            self.pool.acquire().await.map_err(|error| map_error(error, "acquire a connection"))?;
        // On loan before BEGIN is sent: whatever happens from here on, an unfinished transaction closes it.
        let mut lent = Lent::from_pool(connection);
        if let Some(begin) = begin_of(mode) {
            within(self.options.statement_timeout, "begin", (*lent).execute(begin)).await?;
        }
        let checkout = Checkout::new(lent, mode, self.options.statement_timeout);
        Ok(PostgresSession::new(checkout.of_pool(&self.pool, &self.settling)))
    }
}

const fn begin_of(mode: Mode) -> Option<&'static str> {
    match mode {
        // One state of the data for all statements.
        Mode::Read => Some("begin isolation level repeatable read read only"),
        Mode::Write => Some("begin isolation level read committed read write"),
        Mode::Single => None,
    }
}

/// Tries the server once, for an error that says what is wrong: the pool would only say that it waited.
async fn probe(connect: &PgConnectOptions, limit: Duration) -> PortResult<()> {
    let server = || format!("PostgreSQL at {}:{}", connect.get_host(), connect.get_port());
    let connection =
        within(limit, "connect", PgConnection::connect_with(connect)).await.map_err(|error| {
            PortError::new(error.kind(), "database", "connect")
                .with_detail(match error.kind() {
                    ErrorKind::Unauthenticated => format!("{} refuses user or password", server()),
                    ErrorKind::Timeout => format!("{} does not answer", server()),
                    _ => format!("{} cannot be used; see the log for why", server()),
                })
                .with_source(error)
        })?;
    let version = connection.server_version_num();
    drop(connection.close().await);
    match version {
        Some(version) if version / 10_000 < OLDEST_VERSION => {
            Err(PortError::new(ErrorKind::Unsupported, "database", "connect").with_detail(format!(
                "PostgreSQL {}.{} found, {OLDEST_VERSION} or newer needed",
                version / 10_000,
                version % 10_000
            )))
        }
        _ => Ok(()),
    }
}

/// Takes over a transaction that somebody else began.
pub(crate) fn adopt(
    transaction: sqlx::Transaction<'static, sqlx::Postgres>,
    statement_timeout: Duration,
) -> PostgresSession {
    PostgresSession::new(Checkout::new(Lent::adopted(transaction), Mode::Write, statement_timeout))
}

#[async_trait]
impl Backend for PostgresBackend {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    async fn open(&self, mode: Mode) -> PortResult<Box<dyn Session>> {
        self.settling.wait().await;
        let session = match self.begin(mode).await {
            // A connection that broke while it waited in the pool. Nothing was done yet: once more, on a fresh one.
            Err(error) if error.kind() == ErrorKind::Unavailable && !self.pool.is_closed() => {
                purge(&self.pool);
                self.begin(mode).await?
            }
            result => result?,
        };
        Ok(Box::new(session))
    }

    async fn open_apart(&self) -> PortResult<Box<dyn Session>> {
        let (limit, options) = (self.options.statement_timeout, self.pool.connect_options());
        let connection = within(limit, "connect", PgConnection::connect_with(&options)).await?;
        Ok(Box::new(PostgresSession::new(Checkout::new(Lent::own(connection), Mode::Single, limit))))
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
