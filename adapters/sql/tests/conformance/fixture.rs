//! A database of its own for each case.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{BoxError, Database, Secret};
use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions};
use dolmen_testkit::conformance::{Harness, TransactionHarness};
use tempfile::TempDir;

use crate::scratch::SCRATCH;

/// The adapter on a fresh database, with its own tables and the suite's.
pub(crate) struct SqlHarness {
    pub(crate) sql: SqlDatabase,
    pub(crate) database: Database,
    pub(crate) queue: Arc<SqlJobQueue>,
    pub(crate) url: String,
    /// The way to the server itself, when `url` goes through a pooler.
    pub(crate) direct_url: Option<String>,
    place: Mutex<Option<Place>>,
}

enum Place {
    /// A file that another process can open too; it goes with its folder.
    File { _folder: TempDir },
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    Server(dolmen_sql::test_database::TestDatabase),
}

impl SqlHarness {
    pub(crate) async fn on_sqlite() -> Result<Self, BoxError> {
        let folder = TempDir::new()?;
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::open(url, None, Place::File { _folder: folder }).await
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn on_postgres() -> Result<Self, BoxError> {
        let server = dolmen_sql::test_database::TestDatabase::postgres().await?;
        Self::on_server(server).await
    }

    /// PostgreSQL through PgBouncer in transaction mode.
    #[cfg(feature = "postgres")]
    pub(crate) async fn on_pgbouncer() -> Result<Self, BoxError> {
        let server = dolmen_sql::test_database::TestDatabase::pgbouncer().await?;
        Self::on_server(server).await
    }

    /// The same, with replicas: the URLs that `replicas_of` makes of the database's.
    #[cfg(feature = "postgres")]
    pub(crate) async fn on_postgres_with(replicas_of: fn(&str) -> String) -> Result<Self, BoxError> {
        let server = dolmen_sql::test_database::TestDatabase::postgres().await?;
        let url = server.url().to_owned();
        let read_urls = Secret::new(replicas_of(&url));
        let options = Self::options(None)
            .with_read_urls(read_urls)
            .with_replica_check_interval(Duration::from_millis(20));
        Self::open_with(url, None, options, Place::Server(server)).await
    }

    #[cfg(not(feature = "postgres"))]
    pub(crate) async fn on_postgres() -> Result<Self, BoxError> {
        std::future::ready(Err("the feature postgres is off".into())).await
    }

    #[cfg(not(feature = "postgres"))]
    pub(crate) async fn on_pgbouncer() -> Result<Self, BoxError> {
        std::future::ready(Err("the feature postgres is off".into())).await
    }

    #[cfg(feature = "mysql")]
    pub(crate) async fn on_mysql() -> Result<Self, BoxError> {
        let server = dolmen_sql::test_database::TestDatabase::mysql().await?;
        Self::on_server(server).await
    }

    #[cfg(not(feature = "mysql"))]
    pub(crate) async fn on_mysql() -> Result<Self, BoxError> {
        std::future::ready(Err("the feature mysql is off".into())).await
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    async fn on_server(server: dolmen_sql::test_database::TestDatabase) -> Result<Self, BoxError> {
        let (url, direct_url) = (server.url().to_owned(), server.migration_url().map(str::to_owned));
        Self::open(url, direct_url, Place::Server(server)).await
    }

    async fn open(url: String, direct_url: Option<String>, place: Place) -> Result<Self, BoxError> {
        let options = Self::options(direct_url.as_deref());
        Self::open_with(url, direct_url, options, place).await
    }

    async fn open_with(
        url: String,
        direct_url: Option<String>,
        options: SqlOptions,
        place: Place,
    ) -> Result<Self, BoxError> {
        let sql = SqlDatabase::connect(&url, options).await?;
        let database = sql.database();
        database.migrate(&[dolmen_sql::MIGRATIONS, SCRATCH]).await?;
        let queue = Arc::new(SqlJobQueue::new(&sql));
        Ok(Self { sql, database, queue, url, direct_url, place: Mutex::new(Some(place)) })
    }

    /// Patient, since many cases run at once; migrations go by the direct URL, if there is one.
    pub(crate) fn options(direct_url: Option<&str>) -> SqlOptions {
        let mut options = SqlOptions::new().with_acquire_timeout(Duration::from_secs(20));
        options.migration_url = direct_url.map(|url| Secret::new(url.to_owned()));
        options.with_max_connections(5)
    }

    /// Whether a pooler in transaction mode stands before the server.
    pub(crate) fn is_pooled(&self) -> bool {
        self.direct_url.is_some()
    }
}

#[async_trait]
impl Harness for SqlHarness {
    async fn tear_down(&self) {
        let place = self.place.lock().ok().and_then(|mut place| place.take());
        match place {
            #[cfg(any(feature = "mysql", feature = "postgres"))]
            Some(Place::Server(server)) => server.remove(&self.database).await,
            _ => self.database.close().await,
        }
    }
}

impl TransactionHarness for SqlHarness {
    fn database(&self) -> &Database {
        &self.database
    }
}
