//! What the server counts of them: who asks the processes alone would not know what their driver hides.

use dolmen::BoxError;
use sqlx::{Connection as _, MySqlConnection, PgConnection};

/// The server's count of one database.
pub(super) enum Counter {
    /// Statements, as its extension counts them.
    PgStatements(PgConnection, String),
    /// Without the extension it counts transactions.
    PgTransactions(PgConnection, String),
    /// Statements of all clients.
    MySqlQuestions(MySqlConnection),
    /// A file has no server.
    None,
}

impl Counter {
    pub(super) async fn of(url: &str) -> Result<Self, BoxError> {
        if url.starts_with("mysql") {
            return Ok(Self::MySqlQuestions(MySqlConnection::connect(url).await?));
        }
        if !url.starts_with("postgres") {
            return Ok(Self::None);
        }
        // From another database: what this connection does is not counted.
        let (place, parameters) = url.split_once('?').map_or((url, ""), |(place, rest)| (place, rest));
        let (server, database) = place.rsplit_once('/').ok_or("the URL names no database")?;
        let mark = if parameters.is_empty() { "" } else { "?" };
        let mut connection = PgConnection::connect(&format!("{server}/postgres{mark}{parameters}")).await?;
        let loaded: (String,) =
            sqlx::query_as("show shared_preload_libraries").fetch_one(&mut connection).await?;
        if !loaded.0.contains("pg_stat_statements") {
            return Ok(Self::PgTransactions(connection, database.to_owned()));
        }
        sqlx::query("create extension if not exists pg_stat_statements").execute(&mut connection).await?;
        Ok(Self::PgStatements(connection, database.to_owned()))
    }

    pub(super) async fn count(&mut self) -> Result<i64, BoxError> {
        let count = match self {
            Self::None => 0,
            Self::PgStatements(connection, database) => {
                let count = sqlx::query_as::<_, (i64,)>(
                    "select coalesce(sum(calls), 0)::bigint from pg_stat_statements
                     where dbid = (select oid from pg_database where datname = $1)",
                );
                count.bind(&*database).fetch_one(connection).await?.0
            }
            Self::PgTransactions(connection, database) => {
                let count = sqlx::query_as::<_, (i64,)>(
                    "select xact_commit + xact_rollback from pg_stat_database where datname = $1",
                );
                count.bind(&*database).fetch_one(connection).await?.0
            }
            Self::MySqlQuestions(connection) => {
                let (_, count): (String, String) =
                    sqlx::query_as("show global status like 'Questions'").fetch_one(connection).await?;
                count.parse()?
            }
        };
        Ok(count)
    }

    /// What it counted between two calls, in words.
    pub(super) fn compare(&self, before: i64, after: i64, minutes: f64) -> String {
        let (own, what) = match self {
            Self::None => return "there is no server that counts".to_owned(),
            Self::PgStatements(..) => (0, "statements (pg_stat_statements)"),
            Self::PgTransactions(..) => (0, "transactions (pg_stat_database), with those of autovacuum"),
            // Each of the two calls is a statement; of the first only what comes after it is counted.
            Self::MySqlQuestions(_) => (1, "statements (Questions)"),
        };
        format!("the server counted {:.1} {what} a minute", (after - before - own) as f64 / minutes)
    }
}
