//! A database of its own for each case.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{BoxError, Database};
use dolmen_sql::{SqlDatabase, SqlJobQueue, SqlOptions};
use dolmen_testkit::conformance::{Harness, TransactionHarness};
use tempfile::TempDir;

use crate::scratch::SCRATCH;

/// The variable that names a PostgreSQL server on which databases can be created.
pub(crate) const POSTGRES_URL: &str = "TEST_POSTGRES_URL";

#[expect(clippy::disallowed_methods, reason = "a test binary has no other way to be told about a server")]
pub(crate) fn postgres_url() -> Option<String> {
    std::env::var(POSTGRES_URL).ok().filter(|url| !url.is_empty())
}

/// The adapter on a fresh database, with its own tables and the suite's.
pub(crate) struct SqlHarness {
    pub(crate) sql: SqlDatabase,
    pub(crate) database: Database,
    pub(crate) queue: Arc<SqlJobQueue>,
    pub(crate) url: String,
    place: Place,
}

enum Place {
    File {
        _folder: TempDir,
    },
    #[cfg(feature = "postgres")]
    Server {
        name: String,
    },
}

impl SqlHarness {
    pub(crate) async fn on_sqlite() -> Result<Self, BoxError> {
        let folder = TempDir::new()?;
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        Self::open(&url, Place::File { _folder: folder }).await
    }

    #[cfg(feature = "postgres")]
    pub(crate) async fn on_postgres() -> Result<Self, BoxError> {
        use dolmen_ports::{IdGenerator, UuidV7Ids};
        let name = format!("dolmen_{}", UuidV7Ids::new().next().simple());
        on_server(format!("create database {name}")).await?;
        let server = postgres_url().ok_or("no server")?;
        let url = match server.rsplit_once('/') {
            Some((server, _)) => format!("{server}/{name}"),
            None => return Err(format!("{POSTGRES_URL} ends in /<database>").into()),
        };
        Self::open(&url, Place::Server { name }).await
    }

    #[cfg(not(feature = "postgres"))]
    pub(crate) async fn on_postgres() -> Result<Self, BoxError> {
        std::future::ready(Err("the feature postgres is off".into())).await
    }

    async fn open(url: &str, place: Place) -> Result<Self, BoxError> {
        let options = SqlOptions::new().with_max_connections(5).with_acquire_timeout(Duration::from_secs(20));
        let sql = SqlDatabase::connect(url, options).await?;
        let database = Database::new(sql.clone());
        database.migrate(&[dolmen_sql::MIGRATIONS, SCRATCH]).await?;
        Ok(Self { queue: Arc::new(SqlJobQueue::new(&sql)), database, sql, url: url.to_owned(), place })
    }
}

/// Runs a statement in the server's own database.
#[cfg(feature = "postgres")]
pub(crate) async fn on_server(statement: String) -> Result<(), BoxError> {
    use sqlx::{AssertSqlSafe, Connection, PgConnection};
    let mut connection = PgConnection::connect(&postgres_url().ok_or("no server")?).await?;
    // The name of a database cannot be bound; it is made of letters and digits above.
    sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

#[async_trait]
impl Harness for SqlHarness {
    async fn tear_down(&self) {
        self.database.close().await;
        match &self.place {
            Place::File { .. } => {}
            #[cfg(feature = "postgres")]
            // A database that stays behind costs disk on a server for tests, and hides no result.
            Place::Server { name } => {
                drop(on_server(format!("drop database if exists {name} with (force)")).await);
            }
        }
    }
}

impl TransactionHarness for SqlHarness {
    fn database(&self) -> &Database {
        &self.database
    }
}
