//! For the tests of modules and programs (feature `test-database`): a database of its own for each test.

#[cfg(any(feature = "mysql", feature = "postgres"))]
mod server;

use std::fmt;

use dolmen_ports::{Database, MigrationSet, PortResult, Secret};

use crate::{SqlDatabase, SqlOptions};

/// The variable that names a PostgreSQL server on which databases can be created; `cargo xtask test` brings one.
pub const SERVER_VARIABLE: &str = "TEST_POSTGRES_URL";
/// The variable that names a MariaDB or MySQL server on which databases can be created.
pub const MYSQL_VARIABLE: &str = "TEST_MYSQL_URL";
/// The variable that names a PgBouncer in transaction mode before the server of [`SERVER_VARIABLE`].
pub const PGBOUNCER_VARIABLE: &str = "TEST_PGBOUNCER_URL";

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
    migration_url: Option<String>,
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    on_server: Option<server::OnServer>,
}

impl TestDatabase {
    /// A temporary file, gone when the database is closed.
    #[cfg(feature = "sqlite")]
    pub fn sqlite() -> Self {
        Self {
            url: "sqlite::memory:".to_owned(),
            migration_url: None,
            #[cfg(any(feature = "mysql", feature = "postgres"))]
            on_server: None,
        }
    }

    /// A fresh database on the server that [`SERVER_VARIABLE`] names.
    ///
    /// # Errors
    /// `InvalidInput` without the variable; what the server says otherwise.
    #[cfg(feature = "postgres")]
    pub async fn postgres() -> PortResult<Self> {
        Self::on_server(dolmen_ports::Dialect::Postgres, SERVER_VARIABLE).await
    }

    /// A fresh database on the server that [`SERVER_VARIABLE`] names, reached through the pooler that
    /// [`PGBOUNCER_VARIABLE`] names.
    ///
    /// # Errors
    /// As [`TestDatabase::postgres`]; `InvalidInput` without the variable of the pooler.
    #[cfg(feature = "postgres")]
    pub async fn pgbouncer() -> PortResult<Self> {
        let pooler = server::given(dolmen_ports::Dialect::Postgres, PGBOUNCER_VARIABLE)?;
        let direct = Self::postgres().await?;
        let url = direct.on_server.as_ref().map(|on_server| on_server.url_on(&pooler));
        Ok(Self { migration_url: Some(direct.url.clone()), url: url.unwrap_or(pooler), ..direct })
    }

    /// A fresh database on the server that [`MYSQL_VARIABLE`] names.
    ///
    /// # Errors
    /// `InvalidInput` without the variable; what the server says otherwise.
    #[cfg(feature = "mysql")]
    pub async fn mysql() -> PortResult<Self> {
        Self::on_server(dolmen_ports::Dialect::MySql, MYSQL_VARIABLE).await
    }

    /// Whether [`MYSQL_VARIABLE`] names a server. Tests that go over all databases leave this one out without.
    #[cfg(feature = "mysql")]
    pub fn has_mysql() -> bool {
        server::named(MYSQL_VARIABLE).is_some()
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    async fn on_server(dialect: dolmen_ports::Dialect, variable: &str) -> PortResult<Self> {
        let on_server = server::OnServer::create(dialect, variable).await?;
        Ok(Self { url: on_server.url(), migration_url: None, on_server: Some(on_server) })
    }

    /// What stands in `DATABASE_URL` to reach it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What stands in `DATABASE_MIGRATION_URL`, when it is reached through a pooler.
    pub fn migration_url(&self) -> Option<&str> {
        self.migration_url.as_deref()
    }

    /// Opens it and brings its schema up to date.
    ///
    /// # Errors
    /// As [`SqlDatabase::connect`] and the migrations.
    pub async fn open(&self, sets: &[MigrationSet]) -> PortResult<Database> {
        let mut options = SqlOptions::new();
        options.migration_url = self.migration_url.clone().map(Secret::new);
        let database = Database::new(SqlDatabase::connect(&self.url, options).await?);
        database.migrate(sets).await?;
        Ok(database)
    }

    /// Closes the database and removes it. One that is not removed, since its test failed, stays on the server.
    pub async fn remove(self, database: &Database) {
        database.close().await;
        #[cfg(any(feature = "mysql", feature = "postgres"))]
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
