//! Databases on a server for tests.

use dolmen_ports::{Dialect, ErrorKind, IdGenerator, PortError, PortResult, UuidV7Ids};
use sqlx::{AssertSqlSafe, Connection};

use crate::map_error;

/// One database on a server for tests.
pub(super) struct OnServer {
    dialect: Dialect,
    server: String,
    name: String,
    /// Roles that were made for it.
    #[cfg(feature = "postgres")]
    roles: std::sync::Mutex<Vec<String>>,
}

impl OnServer {
    pub(super) async fn create(dialect: Dialect, variable: &str) -> PortResult<Self> {
        let server = given(dialect, variable)?;
        let made = Self {
            dialect,
            server,
            name: format!("dolmen_test_{}", UuidV7Ids::new().next().simple()),
            #[cfg(feature = "postgres")]
            roles: std::sync::Mutex::default(),
        };
        made.on_server("create database", "").await?;
        Ok(made)
    }

    /// The server's URL with this database in place of its own, if it has one.
    pub(super) fn url(&self) -> String {
        self.url_on(&self.server)
    }

    /// The same for another way to the server.
    pub(super) fn url_on(&self, server: &str) -> String {
        let (server, parameters) = server.split_once('?').unwrap_or((server, ""));
        let separator = if parameters.is_empty() { "" } else { "?" };
        let (scheme, rest) = server.split_once("//").unwrap_or(("", server));
        let authority = rest.split('/').next().unwrap_or_default();
        format!("{scheme}//{authority}/{}{separator}{parameters}", self.name)
    }

    /// The URL for a role that may touch one module's tables; made now, and dropped with the database.
    #[cfg(feature = "postgres")]
    pub(super) async fn url_as_role(&self, module: dolmen_ports::ModuleName) -> PortResult<String> {
        let url = self.url();
        let role = super::role::create(&url, module).await?;
        let separator = if url.contains('?') { '&' } else { '?' };
        let url = format!("{url}{separator}options[role]={role}");
        self.roles.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(role);
        Ok(url)
    }

    pub(super) async fn drop(self) {
        let options = if self.dialect == Dialect::Postgres { "with (force)" } else { "" };
        // A database that stays behind costs disk on a server for tests, and hides no result.
        drop(self.on_server("drop database if exists", options).await);
        #[cfg(feature = "postgres")]
        for role in self.roles.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            drop(super::role::remove(&self.server, &role).await);
        }
    }

    async fn on_server(&self, verb: &str, options: &str) -> PortResult<()> {
        // The name of a database cannot be bound; ours is made of letters and digits.
        let statement = AssertSqlSafe(format!("{verb} {} {options}", self.name));
        let result = match self.dialect {
            #[cfg(feature = "mysql")]
            Dialect::MySql => mysql(&self.server, statement).await,
            #[cfg(feature = "postgres")]
            Dialect::Postgres => postgres(&self.server, statement).await,
            _ => Ok(()),
        };
        result.map_err(|error| map_error(error, "create or drop a database for a test"))
    }
}

#[cfg(feature = "mysql")]
async fn mysql(server: &str, statement: AssertSqlSafe<String>) -> Result<(), sqlx::Error> {
    let mut connection = sqlx::MySqlConnection::connect(server).await?;
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    connection.close().await
}

#[cfg(feature = "postgres")]
async fn postgres(server: &str, statement: AssertSqlSafe<String>) -> Result<(), sqlx::Error> {
    let mut connection = sqlx::PgConnection::connect(server).await?;
    sqlx::raw_sql(statement).execute(&mut connection).await?;
    connection.close().await
}

/// The URL of a server in this variable.
pub(super) fn given(dialect: Dialect, variable: &str) -> PortResult<String> {
    named(variable).ok_or_else(|| {
        let help = match dialect {
            Dialect::Postgres => "`cargo xtask test` brings one, or set it to postgres://…",
            _ => "set it to mysql://user:password@host:port/, for a user who may create databases",
        };
        PortError::new(ErrorKind::InvalidInput, "database", "create a database for a test")
            .with_detail(format!("{variable} names no server; {help}"))
    })
}

#[expect(clippy::disallowed_methods, reason = "a test has no other way to be told about a server")]
pub(super) fn named(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}

/// Says that the running test leaves a database out. A test cannot end as ignored once it runs, so the line is written
/// past the harness, which would keep it from being seen.
#[cfg(feature = "mysql")]
pub(super) fn tell_ignored(database: &str, variable: &str) {
    use std::io::Write as _;
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    let line = format!("test {test} on {database} ... ignored, without {variable}\n");
    // One write, so that no other line gets between. A screen that is gone is no reason to fail.
    drop(std::io::stdout().write_all(line.as_bytes()));
}
