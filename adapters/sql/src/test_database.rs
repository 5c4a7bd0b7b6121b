//! For the tests of modules and programs (feature `test-database`): a database of its own for each test.

use std::fmt;

use dolmen_ports::{Database, MigrationSet, PortResult};

use crate::{SqlDatabase, SqlOptions};

/// The variable that names a PostgreSQL server on which databases can be created; `cargo xtask test` brings one.
pub const SERVER_VARIABLE: &str = "TEST_POSTGRES_URL";

/// An empty database for one test.
///
/// # Examples
/// ```
/// use dolmen_sql::test_database::TestDatabase;
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
/// let place = TestDatabase::sqlite();
/// let database = place.open(&[dolmen_sql::MIGRATIONS]).await.unwrap();
/// database.ping().await.unwrap();
/// place.remove(&database).await;
/// # });
/// ```
pub struct TestDatabase {
    url: String,
    #[cfg(feature = "postgres")]
    on_server: Option<postgres::OnServer>,
}

impl TestDatabase {
    /// A temporary file, gone when the database is closed.
    #[cfg(feature = "sqlite")]
    pub fn sqlite() -> Self {
        Self {
            url: "sqlite::memory:".to_owned(),
            #[cfg(feature = "postgres")]
            on_server: None,
        }
    }

    /// A fresh database on the server that [`SERVER_VARIABLE`] names.
    ///
    /// # Errors
    /// `InvalidInput` without the variable; what the server says otherwise.
    #[cfg(feature = "postgres")]
    pub async fn postgres() -> PortResult<Self> {
        let on_server = postgres::OnServer::create().await?;
        Ok(Self { url: on_server.url(), on_server: Some(on_server) })
    }

    /// What stands in `DATABASE_URL` to reach it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens it and brings its schema up to date.
    ///
    /// # Errors
    /// As [`SqlDatabase::connect`] and the migrations.
    pub async fn open(&self, sets: &[MigrationSet]) -> PortResult<Database> {
        let database = Database::new(SqlDatabase::connect(&self.url, SqlOptions::new()).await?);
        database.migrate(sets).await?;
        Ok(database)
    }

    /// Closes the database and removes it. One that is not removed, since its test failed, stays on the server.
    pub async fn remove(self, database: &Database) {
        database.close().await;
        #[cfg(feature = "postgres")]
        if let Some(on_server) = self.on_server {
            on_server.drop().await;
        }
    }
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The URL may hold a password.
        f.debug_struct("TestDatabase").finish_non_exhaustive()
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use dolmen_ports::{ErrorKind, IdGenerator, PortError, PortResult, UuidV7Ids};
    use sqlx::{AssertSqlSafe, Connection, PgConnection};

    use super::SERVER_VARIABLE;
    use crate::map_error;

    /// One database on a server for tests.
    pub(super) struct OnServer {
        server: String,
        name: String,
    }

    impl OnServer {
        pub(super) async fn create() -> PortResult<Self> {
            let name = format!("dolmen_test_{}", UuidV7Ids::new().next().simple());
            let made = Self { server: server()?, name };
            made.on_server("create database", "").await?;
            Ok(made)
        }

        /// The server's URL with this database in place of its own.
        pub(super) fn url(&self) -> String {
            let (server, parameters) = self.server.split_once('?').unwrap_or((&self.server, ""));
            let server = server.rsplit_once('/').map_or(server, |(server, _)| server);
            let separator = if parameters.is_empty() { "" } else { "?" };
            format!("{server}/{}{separator}{parameters}", self.name)
        }

        pub(super) async fn drop(self) {
            // A database that stays behind costs disk on a server for tests, and hides no result.
            drop(self.on_server("drop database if exists", "with (force)").await);
        }

        async fn on_server(&self, verb: &str, options: &str) -> PortResult<()> {
            let failed = |error| map_error(error, "create or drop a database for a test");
            let mut connection = PgConnection::connect(&self.server).await.map_err(failed)?;
            // The name of a database cannot be bound; ours is made of letters and digits.
            let statement = AssertSqlSafe(format!("{verb} {} {options}", self.name));
            sqlx::raw_sql(statement).execute(&mut connection).await.map_err(failed)?;
            connection.close().await.map_err(failed)
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a test has no other way to be told about a server")]
    fn server() -> PortResult<String> {
        let url = std::env::var(SERVER_VARIABLE).ok().filter(|url| !url.is_empty());
        url.ok_or_else(|| {
            PortError::new(ErrorKind::InvalidInput, "database", "create a database for a test").with_detail(
                format!("{SERVER_VARIABLE} names no server; `cargo xtask test` brings one, or set it to postgres://…"),
            )
        })
    }
}
