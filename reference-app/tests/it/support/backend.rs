//! The databases that the contract is held on: SQLite always; PostgreSQL, the same through PgBouncer, and MariaDB with
//! their drivers and a server.

#[cfg(feature = "mysql")]
use dolmen_sql::test_database::MYSQL_VARIABLE;
use dolmen_sql::test_database::TestDatabase;
#[cfg(feature = "postgres")]
use dolmen_sql::test_database::{PGBOUNCER_VARIABLE, SERVER_VARIABLE};

/// URLs of streaming standbys of the test server, with a comma between them.
#[cfg(feature = "postgres")]
const STANDBYS: &str = "TEST_POSTGRES_STANDBY_URLS";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
    /// PostgreSQL through PgBouncer in transaction mode.
    #[cfg(feature = "postgres")]
    PgBouncer,
    #[cfg(feature = "mysql")]
    MySql,
}

impl Backend {
    pub(crate) const ALL: &[Self] = &[
        Self::Sqlite,
        #[cfg(feature = "postgres")]
        Self::Postgres,
        #[cfg(feature = "postgres")]
        Self::PgBouncer,
        #[cfg(feature = "mysql")]
        Self::MySql,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            #[cfg(feature = "postgres")]
            Self::Postgres => "postgres",
            #[cfg(feature = "postgres")]
            Self::PgBouncer => "pgbouncer",
            #[cfg(feature = "mysql")]
            Self::MySql => "mysql",
        }
    }

    /// What keeps tests from running on it.
    pub(crate) fn missing(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            #[cfg(feature = "postgres")]
            Self::Postgres => without(SERVER_VARIABLE),
            #[cfg(feature = "postgres")]
            Self::PgBouncer => without(SERVER_VARIABLE).or_else(|| without(PGBOUNCER_VARIABLE)),
            #[cfg(feature = "mysql")]
            Self::MySql => without(MYSQL_VARIABLE),
        }
    }

    /// A database of the test's own; SQLite needs none, because it lies in the application's folder.
    pub(crate) async fn database(self) -> Option<TestDatabase> {
        match self {
            Self::Sqlite => std::future::ready(None).await,
            #[cfg(feature = "postgres")]
            Self::Postgres => Some(TestDatabase::postgres().await.unwrap()),
            #[cfg(feature = "postgres")]
            Self::PgBouncer => Some(TestDatabase::pgbouncer().await.unwrap()),
            #[cfg(feature = "mysql")]
            Self::MySql => Some(TestDatabase::mysql().await.unwrap()),
        }
    }

    /// Where reads may go beside the primary: the same database on each streaming standby of the test server.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(unused_variables, reason = "only PostgreSQL has standbys here")
    )]
    pub(crate) fn read_urls(self, place: Option<&TestDatabase>) -> Option<String> {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres => {
                let name = place?.url().rsplit_once('/')?.1;
                let standbys = given(STANDBYS)?;
                let on = |standby: &str| Some(format!("{}/{name}", standby.trim().rsplit_once('/')?.0));
                Some(standbys.split(',').map(on).collect::<Option<Vec<_>>>()?.join(","))
            }
            _ => None,
        }
    }
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
fn without(variable: &'static str) -> Option<&'static str> {
    given(variable).is_none().then_some(variable)
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
#[expect(clippy::disallowed_methods, reason = "a test binary has no other way to be told about a server")]
fn given(variable: &str) -> Option<String> {
    std::env::var(variable).ok().filter(|url| !url.is_empty())
}
