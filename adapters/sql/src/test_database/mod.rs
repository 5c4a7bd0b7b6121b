//! For the tests of modules and programs (feature `test-database`): a database of its own for each test.

mod age;
#[cfg(feature = "postgres")]
mod role;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod server;

use std::fmt;

#[cfg(any(feature = "mysql", feature = "postgres"))]
use dolmen_ports::Dialect;
use dolmen_ports::{Database, MigrationSet, PortResult, Secret};

pub use self::age::age_jobs;
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
        Self::on_server(Dialect::Postgres, SERVER_VARIABLE).await
    }

    /// A fresh database on the server that [`SERVER_VARIABLE`] names, reached through the pooler that
    /// [`PGBOUNCER_VARIABLE`] names.
    ///
    /// # Errors
    /// As [`TestDatabase::postgres`]; `InvalidInput` without the variable of the pooler.
    #[cfg(feature = "postgres")]
    pub async fn pgbouncer() -> PortResult<Self> {
        let pooler = server::given(Dialect::Postgres, PGBOUNCER_VARIABLE)?;
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
        Self::on_server(Dialect::MySql, MYSQL_VARIABLE).await
    }

    /// A fresh database on each kind of server whose driver is compiled in, for what has to hold on all of them.
    ///
    /// PostgreSQL has to be there. MariaDB is left out when [`MYSQL_VARIABLE`] names no server; a line as of an ignored
    /// test says so, under the name of the running test.
    ///
    /// # Errors
    /// `InvalidInput` without [`SERVER_VARIABLE`] when the driver of PostgreSQL is compiled in; what a server says
    /// otherwise.
    ///
    /// # Examples
    /// ```
    /// # use dolmen_ports::{MigrationSet, ModuleName, PortResult};
    /// # use dolmen_sql::test_database::TestDatabase;
    /// # const MIGRATIONS: MigrationSet = MigrationSet::none(ModuleName::new("shop"));
    /// # async fn test() -> PortResult<()> {
    /// for place in TestDatabase::on_each().await? {
    ///     let database = place.open_as_module(MIGRATIONS).await?;
    ///     // … the contract of the module's repository
    ///     place.remove(&database).await;
    /// }
    /// # Ok(())
    /// # }
    /// ```
    #[cfg_attr(
        all(feature = "sqlite", not(any(feature = "mysql", feature = "postgres"))),
        expect(clippy::unused_async, reason = "only servers are waited for")
    )]
    pub async fn on_each() -> PortResult<Vec<Self>> {
        let places = Vec::<Option<Self>>::from([
            #[cfg(feature = "sqlite")]
            Some(Self::sqlite()),
            #[cfg(feature = "postgres")]
            Some(Self::postgres().await?),
            #[cfg(feature = "mysql")]
            Self::mysql_if_named().await?,
        ]);
        Ok(places.into_iter().flatten().collect())
    }

    #[cfg(feature = "mysql")]
    async fn mysql_if_named() -> PortResult<Option<Self>> {
        if server::named(MYSQL_VARIABLE).is_some() {
            return Self::mysql().await.map(Some);
        }
        server::tell_ignored("mysql", MYSQL_VARIABLE);
        Ok(None)
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    async fn on_server(dialect: Dialect, variable: &str) -> PortResult<Self> {
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

    fn options(&self) -> SqlOptions {
        let mut options = SqlOptions::new();
        options.migration_url = self.migration_url.clone().map(Secret::new);
        options
    }

    /// Opens it and brings its schema up to date.
    ///
    /// # Errors
    /// As [`SqlDatabase::connect`] and the migrations.
    pub async fn open(&self, sets: &[MigrationSet]) -> PortResult<Database> {
        let database = Database::new(SqlDatabase::connect(&self.url, self.options()).await?);
        database.migrate(sets).await?;
        Ok(database)
    }

    /// Opens it for the tests of one module, with the module's tables and the framework's.
    ///
    /// On PostgreSQL the tests run as a role that may touch these tables and no others, and may not change the schema.
    /// So a statement that reaches for a table of another module fails, native ones included, with an error that names
    /// the module and the table. On the other databases such a table is not there. The user of [`SERVER_VARIABLE`] may
    /// create roles for this; a pooler, which would not hand the role on, is gone round.
    ///
    /// # Errors
    /// As [`TestDatabase::open`]; `InvalidInput` when the user may not create roles.
    ///
    /// # Examples
    /// ```
    /// use dolmen_ports::{MigrationSet, ModuleName};
    /// use dolmen_sql::test_database::TestDatabase;
    /// # const MIGRATIONS: MigrationSet = MigrationSet::none(ModuleName::new("shop"));
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
    /// let place = TestDatabase::sqlite();
    /// let database = place.open_as_module(MIGRATIONS).await.unwrap();
    /// // … the tests of the module's repository
    /// place.remove(&database).await;
    /// # });
    /// ```
    pub async fn open_as_module(&self, set: MigrationSet) -> PortResult<Database> {
        Ok(Database::new(self.connect_as_module(set).await?).for_module(set.module))
    }

    /// As [`TestDatabase::open_as_module`], for tests that make the queue or the stores on it too.
    ///
    /// # Errors
    /// The same.
    pub async fn connect_as_module(&self, set: MigrationSet) -> PortResult<SqlDatabase> {
        let sql = SqlDatabase::connect(&self.url, self.options()).await?;
        let database = Database::new(sql.clone());
        database.migrate(&[crate::MIGRATIONS, set]).await?;
        #[cfg(feature = "postgres")]
        if let Some(on_server) = self.on_server.as_ref().filter(|_| sql.dialect() == Dialect::Postgres) {
            database.close().await;
            return SqlDatabase::connect(&on_server.url_as_role(set.module).await?, SqlOptions::new()).await;
        }
        Ok(sql)
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
