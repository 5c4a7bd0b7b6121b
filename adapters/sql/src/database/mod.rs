//! The database: opening it, its transactions, its migrations.

mod migrating;
mod options;
mod tx;
mod url;
mod writers;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{
    DatabaseDriver, Dialect, ErrorKind, MigrationReport, MigrationSet, PortError, PortResult, ReadFrom,
    Scope, TxDriver, TxOptions, WriteTx,
};
pub use options::SqlOptions;
pub use tx::SqlTx;
use url::Place;
#[cfg(feature = "postgres")]
pub(crate) use url::PostgresUrl;
pub use url::{DatabaseUrl, DatabaseUrlError};

use self::writers::Writers;
use crate::driver::{Backend, Listener, Mode, Session};
use crate::jobs::{Fronts, Hints, OpenClaims, Wake};
use crate::migrate;
use crate::replicas::{Positions, ReplicaStatus, Replicas};
use crate::statement::framework_sql;

/// A SQL database; cheap to clone. The driver of [`Database`](dolmen_ports::Database), and what the queue and the stores
/// of this crate are made from.
///
/// # Examples
/// ```
/// use dolmen_ports::{Database, PortResult};
/// use dolmen_sql::{SqlDatabase, SqlOptions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> PortResult<()> {
/// let sql = SqlDatabase::connect("sqlite::memory:", SqlOptions::new()).await?;
/// let database = Database::new(sql.clone());
/// database.migrate(&[dolmen_sql::MIGRATIONS]).await?;
/// database.ping().await
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct SqlDatabase(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    backend: Arc<dyn Backend>,
    replicas: Option<Arc<Replicas>>,
    options: SqlOptions,
    writers: Writers,
    wake: Wake,
    open_claims: OpenClaims,
    fronts: Fronts,
    hints: Hints,
}

/// A database that may be gone: what runs in the background does not keep it.
#[derive(Debug, Clone)]
pub(crate) struct WeakDatabase(Weak<Shared>);

impl WeakDatabase {
    pub(crate) fn upgrade(&self) -> Option<SqlDatabase> {
        self.0.upgrade().map(SqlDatabase)
    }
}

impl SqlDatabase {
    /// Opens the database of a `DATABASE_URL`; see [`DatabaseUrl`] for its forms.
    ///
    /// # Errors
    /// `InvalidInput` when the URL is wrong, naming the part, or its driver is not compiled in; `Unavailable`, `Timeout` or `Unauthenticated` when the database cannot be opened.
    pub async fn connect(url: &str, options: SqlOptions) -> PortResult<Self> {
        let wrong = |variable: &str, error: DatabaseUrlError| {
            PortError::new(ErrorKind::InvalidInput, "database", "connect")
                .with_detail(format!("{variable}: {error}"))
        };
        let url = DatabaseUrl::parse(url).map_err(|error| wrong("DATABASE_URL", error))?;
        migrating::checked(&url, &options)?;
        let replicas = DatabaseUrl::parse_replicas(options.read_urls.reveal(), &url)
            .map_err(|error| wrong("DATABASE_READ_URLS", error))?;
        let backend = Self::backend_of(&url, &options).await?;
        let replicas = replicas.iter().map(|url| Self::replica_of(url, &options, backend.is_pooled()));
        let replicas = replicas.collect::<PortResult<Vec<_>>>()?;
        Ok(Self::with_backend(backend, replicas, options))
    }

    /// A replica; when nothing says how it is reached, then as the primary is.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "only PostgreSQL has poolers, and SQLite no replicas")
    )]
    fn replica_of(url: &DatabaseUrl, options: &SqlOptions, pooled: bool) -> PortResult<Box<dyn Backend>> {
        match url.0 {
            #[cfg(feature = "postgres")]
            Place::Postgres(ref url) => {
                Ok(Box::new(crate::driver::postgres::PostgresBackend::lazy(url, options, pooled)?))
            }
            #[cfg(feature = "mysql")]
            Place::MySql(ref text) => Ok(Box::new(crate::driver::mysql::MySqlBackend::lazy(text, options)?)),
            #[cfg(feature = "sqlite")]
            Place::Memory | Place::File(_) => {
                Err(PortError::new(ErrorKind::Unsupported, "database", "connect")
                    .with_detail("SQLite has no replicas"))
            }
        }
    }

    async fn backend_of(url: &DatabaseUrl, options: &SqlOptions) -> PortResult<Box<dyn Backend>> {
        match url.0 {
            #[cfg(feature = "sqlite")]
            Place::Memory => {
                Ok(Box::new(crate::driver::sqlite::SqliteBackend::open_temporary(options).await?))
            }
            #[cfg(feature = "sqlite")]
            Place::File(ref path) => {
                Ok(Box::new(crate::driver::sqlite::SqliteBackend::open_file(path, options).await?))
            }
            #[cfg(feature = "postgres")]
            Place::Postgres(ref url) => {
                Ok(Box::new(crate::driver::postgres::PostgresBackend::connect(url, options).await?))
            }
            #[cfg(feature = "mysql")]
            Place::MySql(ref text) => {
                Ok(Box::new(crate::driver::mysql::MySqlBackend::connect(text, options).await?))
            }
        }
    }

    fn with_backend(backend: Box<dyn Backend>, replicas: Vec<Box<dyn Backend>>, options: SqlOptions) -> Self {
        let backend: Arc<dyn Backend> = Arc::from(backend);
        let replicas =
            (!replicas.is_empty()).then(|| Arc::new(Replicas::new(Arc::clone(&backend), replicas, &options)));
        let (writers, wake, open_claims, fronts, hints) = Default::default();
        Self(Arc::new(Shared { backend, replicas, options, writers, wake, open_claims, fronts, hints }))
    }

    /// What a commit tells its client where there are replicas.
    ///
    /// # Examples
    /// ```
    /// use dolmen_sql::{Positions, SqlDatabase, SqlOptions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> dolmen_ports::PortResult<()> {
    /// let sql = SqlDatabase::connect("sqlite::memory:", SqlOptions::new()).await?;
    /// assert_eq!(sql.positions(), Positions::None);
    /// # Ok(())
    /// # }
    /// ```
    pub fn positions(&self) -> Positions {
        match self.dialect() {
            Dialect::Postgres => Positions::Log,
            Dialect::MySql => Positions::Time,
            _ => Positions::None,
        }
    }

    /// How its replicas are, in the order of `DATABASE_READ_URLS`; empty without replicas.
    pub fn replicas(&self) -> Vec<ReplicaStatus> {
        self.0.replicas.as_ref().map(|replicas| replicas.status()).unwrap_or_default()
    }

    /// How many reads for a replica the primary took since the start, by reason: what the counter
    /// `database_replica_fallback` counts.
    pub fn replica_fallbacks(&self) -> Vec<(&'static str, u64)> {
        self.0.replicas.as_ref().map(|replicas| replicas.fallbacks()).unwrap_or_default()
    }

    /// Takes over pools that a team has already. At most one connection should write, and `readers` should be held
    /// read-only by `pragma query_only = 1`.
    #[cfg(feature = "sqlite")]
    pub fn from_sqlite_pools(
        writer: sqlx::SqlitePool,
        readers: sqlx::SqlitePool,
        options: SqlOptions,
    ) -> Self {
        let backend = crate::driver::sqlite::SqliteBackend::from_pools(writer, readers);
        Self::with_backend(Box::new(backend), Vec::new(), options)
    }

    /// Takes over a pool that a team has already. When it goes through a pooler in transaction mode, say so with
    /// [`SqlOptions::with_transaction_pooler`], and make it with `statement_cache_capacity(0)`.
    #[cfg(feature = "postgres")]
    pub fn from_postgres_pool(pool: sqlx::PgPool, options: SqlOptions) -> Self {
        let backend = crate::driver::postgres::PostgresBackend::from_pool(pool, &options);
        Self::with_backend(Box::new(backend), Vec::new(), options)
    }

    /// Takes over a pool that a team has already. Its connections keep sqlx's defaults (`utf8mb4`, time zone UTC); their
    /// `sql_mode` becomes the strict one of this crate.
    #[cfg(feature = "mysql")]
    pub fn from_mysql_pool(pool: sqlx::MySqlPool, options: SqlOptions) -> Self {
        let backend = crate::driver::mysql::MySqlBackend::from_pool(pool, &options);
        Self::with_backend(Box::new(backend), Vec::new(), options)
    }

    /// Takes over a transaction that a team's own code has begun, so that jobs and events join it. It ends with the
    /// returned handle: committing that commits it, dropping that rolls it back.
    #[cfg(feature = "sqlite")]
    pub fn adopt_sqlite(
        &self,
        transaction: sqlx::Transaction<'static, sqlx::Sqlite>,
        scope: Scope,
    ) -> WriteTx {
        self.adopted(Box::new(crate::driver::sqlite::adopt(transaction)), scope)
    }

    /// Takes over a transaction that a team's own code has begun, so that jobs and events join it. It ends with the
    /// returned handle: committing that commits it, dropping that rolls it back. Through a pooler in transaction mode, the
    /// team's own statements need `persistent(false)`.
    #[cfg(feature = "postgres")]
    pub fn adopt_postgres(
        &self,
        transaction: sqlx::Transaction<'static, sqlx::Postgres>,
        scope: Scope,
    ) -> WriteTx {
        let (limit, pooled) = (self.0.options.statement_timeout, self.0.backend.is_pooled());
        self.adopted(Box::new(crate::driver::postgres::adopt(transaction, limit, pooled)), scope)
    }

    /// Takes over a transaction that a team's own code has begun, so that jobs and events join it. It ends with the
    /// returned handle: committing that commits it, dropping that rolls it back. Begin it at `read committed`: at the
    /// servers' default isolation, more of it ends in deadlocks.
    #[cfg(feature = "mysql")]
    pub fn adopt_mysql(&self, transaction: sqlx::Transaction<'static, sqlx::MySql>, scope: Scope) -> WriteTx {
        self.adopted(
            Box::new(crate::driver::mysql::adopt(transaction, self.0.options.statement_timeout)),
            scope,
        )
    }

    /// The dialect of the database.
    pub fn dialect(&self) -> Dialect {
        self.0.backend.dialect()
    }

    /// Whether a pooler in transaction mode, such as PgBouncer, stands before the server: found out when it was opened, or
    /// said by its URL or its options.
    pub fn is_pooled(&self) -> bool {
        self.0.backend.is_pooled()
    }

    pub(crate) async fn begin(&self, mode: Mode) -> PortResult<SqlTx> {
        let writer = if mode == Mode::Write { self.0.writers.enter()? } else { None };
        Ok(SqlTx::new(self.0.backend.open(mode).await?, writer))
    }

    pub(crate) fn fronts(&self) -> &Fronts {
        &self.0.fronts
    }

    pub(crate) fn open_claims(&self) -> &OpenClaims {
        &self.0.open_claims
    }

    pub(crate) fn hints(&self) -> &Hints {
        &self.0.hints
    }

    pub(crate) fn downgrade(&self) -> WeakDatabase {
        WeakDatabase(Arc::downgrade(&self.0))
    }

    pub(crate) async fn listen(&self, channel: &'static str) -> PortResult<Option<Box<dyn Listener>>> {
        self.0.backend.listen(channel).await
    }

    pub(crate) fn wake(&self) -> &Wake {
        &self.0.wake
    }

    #[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
    fn adopted(&self, session: Box<dyn Session>, scope: Scope) -> WriteTx {
        // How far the log goes is not asked of somebody else's commit: the client stays on the primary for a time.
        let tx = SqlTx::new(session, None).telling(self.0.replicas.clone());
        WriteTx::new(Box::new(tx), TxOptions::new(scope))
    }

    pub(crate) async fn open_apart(&self) -> PortResult<Box<dyn Session>> {
        self.0.backend.open_apart().await
    }
}

#[async_trait]
impl DatabaseDriver for SqlDatabase {
    fn backend(&self) -> &'static str {
        self.dialect().name()
    }

    async fn begin_read(&self, options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        if let Some(replicas) = self.0.replicas.as_ref().filter(|_| options.from == ReadFrom::Replica)
            && let Some((session, reading)) = replicas.open(options.after).await
        {
            return Ok(Box::new(SqlTx::on_replica(session, reading)));
        }
        Ok(Box::new(self.begin(Mode::Read).await?))
    }

    async fn begin_write(&self, _options: TxOptions) -> PortResult<Box<dyn TxDriver>> {
        Ok(Box::new(self.begin(Mode::Write).await?.telling(self.0.replicas.clone())))
    }

    async fn migrate(&self, sets: &[MigrationSet]) -> PortResult<MigrationReport> {
        migrating::run(self, sets).await
    }

    async fn pending_migrations(&self, sets: &[MigrationSet]) -> PortResult<Vec<String>> {
        migrate::pending_names(&*self.0.backend, sets).await
    }

    async fn ping(&self) -> PortResult<()> {
        let mut tx = self.begin(Mode::Read).await?;
        framework_sql!("select 1").fetch_in(&mut tx).await?;
        Box::new(tx).rollback().await
    }

    async fn pause_before_rerun(&self, run: u32) {
        // 0 to 10, 20, 40 ms: full jitter, so that those who met do not meet again.
        let ceiling = 10_000_u64 << run.saturating_sub(2).min(6);
        let random = RandomState::new().build_hasher().finish();
        tokio::time::sleep(Duration::from_micros(random % ceiling)).await;
    }

    async fn close(&self) {
        self.0.hints.close();
        if let Some(replicas) = &self.0.replicas {
            replicas.close().await;
        }
        self.0.backend.close().await;
    }
}
