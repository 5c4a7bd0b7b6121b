//! The databases that the contract is held on: SQLite always, PostgreSQL with its driver and a server.

use dolmen_sql::test_database::TestDatabase;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backend {
    Sqlite,
    #[cfg(feature = "postgres")]
    Postgres,
}

impl Backend {
    pub(crate) const ALL: &[Self] = &[
        Self::Sqlite,
        #[cfg(feature = "postgres")]
        Self::Postgres,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            #[cfg(feature = "postgres")]
            Self::Postgres => "postgres",
        }
    }

    /// What keeps tests from running on it.
    pub(crate) fn missing(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            #[cfg(feature = "postgres")]
            Self::Postgres => without_server(),
        }
    }

    /// A database of the test's own; SQLite needs none, because it lies in the application's folder.
    pub(crate) async fn database(self) -> Option<TestDatabase> {
        match self {
            Self::Sqlite => std::future::ready(None).await,
            #[cfg(feature = "postgres")]
            Self::Postgres => Some(TestDatabase::postgres().await.unwrap()),
        }
    }
}

#[cfg(feature = "postgres")]
#[expect(clippy::disallowed_methods, reason = "a test binary has no other way to be told about a server")]
fn without_server() -> Option<&'static str> {
    use dolmen_sql::test_database::SERVER_VARIABLE;
    let is_named = std::env::var(SERVER_VARIABLE).is_ok_and(|url| !url.is_empty());
    (!is_named).then_some(SERVER_VARIABLE)
}
