//! SQLite: one file, one writer, many readers.

mod listener;
mod row;
mod session;

use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Dialect, ErrorKind, IdGenerator, PortError, PortResult, UuidV7Ids};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Connection, Executor, Sqlite, SqliteConnection};

use self::listener::WrittenFile;
use self::session::SqliteSession;
use super::lent::Lent;
use super::pool::Pool;
use super::settling::Settling;
use super::{Backend, Listener, Mode, Session};
use crate::database::SqlOptions;
use crate::error::map_error;

/// A file with one connection that writes and several that the database itself holds read-only.
#[derive(Debug)]
pub(crate) struct SqliteBackend {
    writer: Pool<Sqlite>,
    readers: Pool<Sqlite>,
    settling: Settling,
    /// Declared after the pools, so that it outlives them.
    folder: Option<TemporaryFolder>,
}

impl SqliteBackend {
    /// Opens a file; makes it, and its folder, when they are not there.
    pub(crate) async fn open_file(path: &Path, options: &SqlOptions) -> PortResult<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            tokio::fs::create_dir_all(folder).await.map_err(|error| {
                unavailable(format!("the folder {} cannot be made", folder.display())).with_source(error)
            })?;
        }
        let connect = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full);
        Self::open_with(connect, path, options, None).await
    }

    /// Opens a database that nobody needs to keep: a file in a temporary folder of its own.
    ///
    /// Not SQLite's `:memory:`, which is one database per connection, and whose shared cache has other locking rules: a
    /// file behaves in tests as it does in production.
    pub(crate) async fn open_temporary(options: &SqlOptions) -> PortResult<Self> {
        let folder = TemporaryFolder::new()
            .map_err(|error| unavailable("no temporary folder can be made".to_owned()).with_source(error))?;
        let path = folder.0.join("memory.db");
        let connect = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Off);
        Self::open_with(connect, &path, options, Some(folder)).await
    }

    async fn open_with(
        connect: SqliteConnectOptions,
        path: &Path,
        options: &SqlOptions,
        folder: Option<TemporaryFolder>,
    ) -> PortResult<Self> {
        let connect = connect.foreign_keys(true).busy_timeout(options.busy_timeout);
        first_connection(&connect, options.busy_timeout).await.map_err(|error| {
            let kind = map_error(error, "connect");
            PortError::new(kind.kind(), "database", "connect")
                .with_detail(format!("the file {} cannot be opened or written", path.display()))
                .with_source(kind)
        })?;
        let pool = || {
            SqlitePoolOptions::new()
                .acquire_timeout(options.acquire_timeout)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        let reader = connect.clone().create_if_missing(false).pragma("query_only", "1");
        Ok(Self {
            writer: Pool::plain(pool().max_connections(1).connect_lazy_with(connect)),
            readers: Pool::plain(pool().max_connections(options.max_connections).connect_lazy_with(reader)),
            settling: Settling::default(),
            folder,
        })
    }

    /// Takes over pools that a team made itself. The readers should be held read-only by `pragma query_only = 1`.
    pub(crate) fn from_pools(writer: SqlitePool, readers: SqlitePool) -> Self {
        let (writer, readers) = (Pool::plain(writer), Pool::plain(readers));
        Self { writer, readers, settling: Settling::default(), folder: None }
    }
}

/// Makes the file and its journal. Two processes that start at once may both try to switch the journal, which SQLite
/// refuses without waiting, so this tries again for as long as it would wait for a lock.
async fn first_connection(connect: &SqliteConnectOptions, limit: Duration) -> Result<(), sqlx::Error> {
    let started = tokio::time::Instant::now();
    loop {
        let result = match SqliteConnection::connect_with(connect).await {
            Ok(connection) => connection.close().await,
            Err(error) => Err(error),
        };
        match result {
            Err(sqlx::Error::Database(error))
                if matches!(error.code().as_deref(), Some("5" | "261" | "517"))
                    && started.elapsed() < limit =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            result => return result,
        }
    }
}

/// Takes over a transaction that somebody else began.
pub(crate) fn adopt(transaction: sqlx::Transaction<'static, Sqlite>) -> SqliteSession {
    SqliteSession::new(Lent::adopted(transaction), Mode::Write, Settling::default())
}

fn unavailable(detail: String) -> PortError {
    PortError::new(ErrorKind::Unavailable, "database", "connect").with_detail(detail)
}

#[async_trait]
impl Backend for SqliteBackend {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    async fn open(&self, mode: Mode) -> PortResult<Box<dyn Session>> {
        self.settling.wait().await;
        let pool = if mode == Mode::Read { &self.readers } else { &self.writer };
        // On loan before BEGIN is sent: whatever happens from here on, an unfinished transaction closes it.
        let mut lent = pool.acquire().await.map_err(|error| map_error(error, "acquire a connection"))?;
        let begin = match mode {
            Mode::Read => Some("begin deferred"),
            // A transaction that turns from reading to writing would fail without waiting when another one wrote.
            Mode::Write => Some("begin immediate"),
            Mode::Single => None,
        };
        if let Some(begin) = begin {
            (*lent).execute(begin).await.map_err(|error| map_error(error, "begin"))?;
        }
        Ok(Box::new(SqliteSession::new(lent, mode, self.settling.clone())))
    }

    async fn open_apart(&self) -> PortResult<Box<dyn Session>> {
        let connection = SqliteConnection::connect_with(&self.writer.connect_options())
            .await
            .map_err(|error| map_error(error, "connect"))?;
        Ok(Box::new(SqliteSession::new(Lent::own(connection), Mode::Single, self.settling.clone())))
    }

    async fn listen(&self, _channel: &'static str) -> PortResult<Option<Box<dyn Listener>>> {
        // Nobody else knows the file.
        if self.folder.is_some() {
            return Ok(None);
        }
        let options = self.writer.connect_options();
        let written = WrittenFile::of(options.get_filename()).await;
        Ok(written.map(|written| -> Box<dyn Listener> { Box::new(written) }))
    }

    async fn lock_migrations(&self, _session: &mut dyn Session) -> PortResult<bool> {
        // `begin immediate` holds the whole file.
        Ok(true)
    }

    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

/// A folder that is removed with the database in it.
#[derive(Debug)]
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> std::io::Result<Self> {
        let path = std::env::temp_dir().join(format!("dolmen-{}", UuidV7Ids::new().next()));
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever empties the folder for temporary files.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
