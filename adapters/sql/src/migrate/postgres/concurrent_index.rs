//! `create index concurrently`: what a run that was cut off leaves behind.

use dolmen_ports::PortResult;
use sqlx::AssertSqlSafe;

use crate::driver::Session;
use crate::error::map_error;
use crate::native::Native;
use crate::statement::Value;

/// The name of an index that a statement makes concurrently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::migrate) struct ConcurrentIndex(String);

impl ConcurrentIndex {
    /// Reads a statement without comments before it.
    pub(in crate::migrate) fn read(statement: &str) -> Option<Self> {
        let mut words = statement.split_whitespace().peekable();
        let mut next = |expected: &str| words.next_if(|word| word.eq_ignore_ascii_case(expected)).is_some();
        if !next("create") {
            return None;
        }
        let _ = next("unique");
        if !(next("index") && next("concurrently")) {
            return None;
        }
        let _ = next("if") && next("not") && next("exists");
        let name = words.next()?.to_lowercase();
        // Names of modules' tables and indexes are plain; anything else is left to a person.
        let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (plain && name != "on").then_some(Self(name))
    }

    /// Whether the index is there and can be used; none when it is not there.
    pub(in crate::migrate) async fn is_valid(&self, session: &mut dyn Session) -> PortResult<Option<bool>> {
        let asked = "select indisvalid as valid from pg_index where indexrelid = to_regclass($1)";
        let rows = session.fetch(asked, &[Value::Text(self.0.as_str().into())]).await?;
        rows.first().map(|row| row.get("valid")).transpose()
    }

    /// Removes what was left behind. Waits for a server's process that still builds it.
    pub(in crate::migrate) async fn remove(&self, session: &mut dyn Session) -> PortResult<()> {
        let Native::Postgres(connection) = session.native() else { return Ok(()) };
        // The name is plain, so the text is safe.
        let statement = AssertSqlSafe(format!("drop index concurrently if exists {}", self.0));
        let removed = sqlx::raw_sql(statement).execute(connection).await;
        removed.map(drop).map_err(|error| map_error(error, "remove an unusable index"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_name_is_read() {
        let name = |statement: &str| ConcurrentIndex::read(statement).map(|index| index.0);
        assert_eq!(name("create index concurrently a_b on a (b)"), Some("a_b".to_owned()));
        assert_eq!(
            name("CREATE UNIQUE INDEX CONCURRENTLY\n IF NOT EXISTS A_b on a (b)"),
            Some("a_b".to_owned())
        );
        for other in [
            "create index a_b on a (b)",
            "create index concurrently on a (b)",
            "create index concurrently \"a b\" on a (b)",
            "drop index concurrently a_b",
            "",
        ] {
            assert_eq!(name(other), None, "{other}");
        }
    }
}
