//! MariaDB and MySQL: one pool, and the statements that both understand.
//!
//! The suites run on MariaDB. Where MySQL differs, what is sent is what its manual says.

mod heartbeat;
mod listener;
mod row;
mod session;
mod time;
mod version;

use std::str::FromStr;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, PortError, PortResult, Secret};
use sqlx::mysql::{MySqlConnectOptions, MySqlPool, MySqlPoolOptions};
use sqlx::{Connection, Executor, MySql, MySqlConnection};
use tokio::time::Instant;

use self::listener::CountedHints;
use self::session::MySqlSession;
use super::checkout::{Checkout, demoted};
use super::gate::Gate;
use super::lent::Lent;
use super::limits::within;
use super::pool::Pool;
use super::settling::Settling;
use super::{Backend, Listener, Mode, Session, Standing};
use crate::database::SqlOptions;
use crate::error::mysql;

/// How statements are read: strictly, and as the standard says. Without `IGNORE_SPACE`, which sqlx switches on, and with which
/// the names of functions could not be names of columns.
const MODE: &str = "set session sql_mode = 'PIPES_AS_CONCAT,ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES,NO_ZERO_IN_DATE,\
     NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";
const SET_UP: &str = "set session autocommit = 1, session time_zone = '+00:00'; \
     set session transaction isolation level read committed, read write";
// One round trip each.
const BEGIN_READ: &str = "set transaction isolation level repeatable read; \
     start transaction with consistent snapshot, read only";
const BEGIN_WRITE: &str = "set transaction isolation level read committed; start transaction read write";

#[derive(Debug)]
pub(crate) struct MySqlBackend {
    pool: Pool<MySql>,
    gate: Gate,
    settling: Settling,
    options: SqlOptions,
    /// The pool was made by somebody else.
    foreign: bool,
}

impl MySqlBackend {
    pub(crate) async fn connect(url: &Secret<String>, options: &SqlOptions) -> PortResult<Self> {
        let connect = connect_options(url)?;
        let gate = Gate::default();
        let deadline = Instant::now() + options.start_timeout;
        loop {
            match probe(&gate, &connect, options.acquire_timeout).await {
                Err(_) if gate.wait_at_start(deadline).await => {}
                probed => break probed?,
            }
        }
        Ok(Self::with_options(connect, gate, options))
    }

    /// A server that may be away; the first session finds out.
    pub(crate) fn lazy(url: &Secret<String>, options: &SqlOptions) -> PortResult<Self> {
        Ok(Self::with_options(connect_options(url)?, Gate::default(), options))
    }

    fn with_options(connect: MySqlConnectOptions, gate: Gate, options: &SqlOptions) -> Self {
        let lock_wait = lock_wait(options.busy_timeout);
        let pool = MySqlPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            // BEGIN finds out as well, without a round trip of its own.
            .test_before_acquire(false)
            .after_connect(move |connection, _| Box::pin(set_up(connection, lock_wait)))
            .connect_lazy_with(connect);
        Self {
            pool: Pool::keeping(pool),
            gate,
            settling: Settling::default(),
            options: options.clone(),
            foreign: false,
        }
    }

    pub(crate) fn from_pool(pool: MySqlPool, options: &SqlOptions) -> Self {
        let (gate, settling) = Default::default();
        Self { pool: Pool::plain(pool), gate, settling, options: options.clone(), foreign: true }
    }

    async fn begin(&self, mode: Mode) -> PortResult<MySqlSession> {
        // On loan before BEGIN is sent: whatever happens from here on, an unfinished transaction closes it.
        let mut lent = self.gate.acquire(&self.pool, self.options.acquire_timeout).await?;
        if let Some(begin) = begin_of(mode) {
            let begun = within(self.options.statement_timeout, "begin", (*lent).execute(begin)).await;
            let is_demoted = |error: &PortError| mysql::number(error).is_some_and(mysql::is_read_only_server);
            begun.map_err(
                |error| if mode == Mode::Write && is_demoted(&error) { demoted(error) } else { error },
            )?;
        }
        let checkout = Checkout::new(lent, mode, self.options.statement_timeout);
        let session = MySqlSession::new(checkout.of_pool(&self.pool, &self.settling));
        Ok(if self.foreign { session.foreign() } else { session })
    }
}

fn connect_options(url: &Secret<String>) -> PortResult<MySqlConnectOptions> {
    let options = MySqlConnectOptions::from_str(url.reveal()).map_err(|error| {
        PortError::new(ErrorKind::InvalidInput, "database", "connect")
            .with_detail(
                "DATABASE_URL: a part is not valid; example: mysql://user:password@localhost:3306/app",
            )
            .with_source(error)
    })?;
    // Texts that are compared with each other, and not with a column, are compared exactly as well.
    Ok(options.collation("utf8mb4_bin"))
}

const fn begin_of(mode: Mode) -> Option<&'static str> {
    match mode {
        Mode::Read => Some(BEGIN_READ),
        Mode::Write => Some(BEGIN_WRITE),
        Mode::Single => None,
    }
}

/// How long the server waits for a lock, in its whole seconds.
fn lock_wait(limit: Duration) -> u32 {
    u32::try_from(limit.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).clamp(1, 1 << 30)
}

async fn set_up(connection: &mut MySqlConnection, lock_wait: u32) -> Result<(), sqlx::Error> {
    connection.execute(MODE).await?;
    connection.execute(SET_UP).await?;
    let wait = sqlx::query("set session innodb_lock_wait_timeout = ?").bind(lock_wait);
    wait.execute(connection).await.map(drop)
}

/// Tries the server once, for an error that says what is wrong: the pool would only say that it waited.
async fn probe(gate: &Gate, connect: &MySqlConnectOptions, limit: Duration) -> PortResult<()> {
    let server = || format!("the server at {}:{}", connect.get_host(), connect.get_port());
    let asked = async {
        let mut connection: MySqlConnection = gate.connect(connect, limit).await?;
        let version = sqlx::query_scalar("select cast(version() as char)").fetch_one(&mut connection);
        let version: String = within(limit, "connect", version).await?;
        drop(connection.close().await);
        PortResult::Ok(version)
    };
    let version = asked.await.map_err(|error| {
        let detail = match error.kind() {
            _ if gate.is_refused() => return error,
            _ if mysql::number(&error) == Some(mysql::UNKNOWN_DATABASE) => {
                let database = connect.get_database().unwrap_or_default();
                format!("{} has no database {database}; create it, or mend the URL", server())
            }
            ErrorKind::Unauthenticated => format!("{} refuses user or password", server()),
            ErrorKind::PermissionDenied => format!("{} refuses this user the database", server()),
            ErrorKind::Timeout => format!("{} does not answer", server()),
            _ => format!("{} cannot be used; see the log for why", server()),
        };
        PortError::new(error.kind(), "database", "connect").with_detail(detail).with_source(error)
    })?;
    version::check(&version)
}

/// Takes over a transaction that somebody else began.
pub(crate) fn adopt(
    transaction: sqlx::Transaction<'static, MySql>,
    statement_timeout: Duration,
) -> MySqlSession {
    MySqlSession::new(Checkout::new(Lent::adopted(transaction), Mode::Write, statement_timeout)).foreign()
}

#[async_trait]
impl Backend for MySqlBackend {
    fn dialect(&self) -> Dialect {
        Dialect::MySql
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

    async fn standing(&self, session: &mut dyn Session, is_primary: bool) -> PortResult<Standing> {
        heartbeat::standing(session, is_primary).await
    }

    async fn open_apart(&self) -> PortResult<Box<dyn Session>> {
        let (limit, options) = (self.options.statement_timeout, self.pool.connect_options());
        let mut connection: MySqlConnection = self.gate.connect(&*options, limit).await?;
        let lock_wait = lock_wait(self.options.busy_timeout);
        within(limit, "connect", set_up(&mut connection, lock_wait)).await?;
        let lent = Lent::own(connection);
        Ok(Box::new(MySqlSession::new(Checkout::new(lent, Mode::Single, limit))))
    }

    async fn listen(&self, _channel: &'static str) -> PortResult<Option<Box<dyn Listener>>> {
        let (limit, options) = (self.options.statement_timeout, self.pool.connect_options());
        let mut connection: MySqlConnection = self.gate.connect(&*options, limit).await?;
        within(limit, "listen", set_up(&mut connection, lock_wait(self.options.busy_timeout))).await?;
        let hints = CountedHints::of(connection, limit).await?;
        Ok(hints.map(|hints| -> Box<dyn Listener> { Box::new(hints) }))
    }

    async fn lock_migrations(&self, session: &mut dyn Session) -> PortResult<bool> {
        // It belongs to the connection, so no killed process keeps it. One server holds the locks of all its databases.
        let rows = session
            .fetch("select get_lock(concat('dolmen_migrate_', sha1(database())), 0) as locked", &[])
            .await?;
        let locked = rows.first().map(|row| row.get::<Option<i64>>("locked")).transpose()?.flatten();
        Ok(locked == Some(1))
    }

    async fn close(&self) {
        self.pool.close().await;
    }
}
