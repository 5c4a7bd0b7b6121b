//! A PostgreSQL role that may touch one module's tables and no others.

use dolmen_ports::{ErrorKind, IdGenerator, ModuleName, PortError, PortResult, UuidV7Ids};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use crate::map_error;

/// The tables of the framework that modules reach through its ports, in their own transactions: jobs, events, inbox,
/// sessions, audit. Who migrates is not a module.
const OF_THE_FRAMEWORK: &str = "dolmen_";
const OF_MIGRATIONS: &str = "dolmen_migration";
/// How much of a module's name stands in that of a role, which has 63 bytes on the server.
const NAME: usize = 18;

const OPERATION: &str = "make a role for a module's tests";

/// Makes the role; `url` leads to the database, as a user who owns its tables.
///
/// Roles belong to all databases of a server, so each one has a name of its own.
pub(super) async fn create(url: &str, module: ModuleName) -> PortResult<String> {
    let shortened: String = module.as_str().chars().take(NAME).collect();
    let role = format!("dolmen_test_{}_{shortened}", UuidV7Ids::new().next().simple());
    let failed = |error| map_error(error, OPERATION);
    let mut connection = PgConnection::connect(url).await.map_err(failed)?;
    // The name of a role cannot be bound; ours is made of letters, digits and underscores.
    for statement in [
        format!("create role {role} nologin"),
        format!("grant {role} to current_user"),
        format!("grant usage on schema public to {role}"),
        // Until version 14 everybody may make tables.
        "revoke create on schema public from public".to_owned(),
    ] {
        connection.execute(AssertSqlSafe(statement)).await.map_err(may_not_create)?;
    }
    for relation in relations(&mut connection).await.map_err(failed)? {
        if let Some(rights) = relation.rights(module) {
            let grant = format!("grant {rights} on {} to {role}", relation.quoted);
            connection.execute(AssertSqlSafe(grant)).await.map_err(failed)?;
        }
    }
    connection.close().await.map_err(failed)?;
    Ok(role)
}

/// Drops a role; only after its database, in which it has its rights, is gone.
pub(super) async fn remove(server: &str, role: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server).await?;
    connection.execute(AssertSqlSafe(format!("drop role if exists {role}"))).await?;
    connection.close().await
}

fn may_not_create(error: sqlx::Error) -> PortError {
    let refused = matches!(&error, sqlx::Error::Database(error) if error.code().as_deref() == Some("42501"));
    if !refused {
        return map_error(error, OPERATION);
    }
    PortError::new(ErrorKind::InvalidInput, "database", OPERATION)
        .with_detail(
            "the user of TEST_POSTGRES_URL may not create roles; give it CREATEROLE, or another user",
        )
        .with_source(error)
}

/// A table, view or sequence.
struct Relation {
    name: String,
    quoted: String,
    is_sequence: bool,
}

impl Relation {
    /// What the module may do with it.
    fn rights(&self, module: ModuleName) -> Option<&'static str> {
        let own = self.name.strip_prefix(module.as_str()).is_some_and(|rest| rest.starts_with('_'));
        let shared = self.name.starts_with(OF_THE_FRAMEWORK) && self.name != OF_MIGRATIONS;
        match (own || shared, self.is_sequence) {
            (false, _) => None,
            (true, false) => Some("select, insert, update, delete"),
            (true, true) => Some("usage"),
        }
    }
}

async fn relations(connection: &mut PgConnection) -> Result<Vec<Relation>, sqlx::Error> {
    let rows = sqlx::query(
        "select relname::text, case relkind when 'S' then 'sequence ' else 'table ' end || oid::regclass, relkind = 'S'
         from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'S')",
    )
    .fetch_all(connection)
    .await?;
    let relation = |row: &sqlx::postgres::PgRow| {
        Ok(Relation { name: row.try_get(0)?, quoted: row.try_get(1)?, is_sequence: row.try_get(2)? })
    };
    rows.iter().map(relation).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_may_touch_its_own_tables_and_those_of_the_framework_ports() {
        let rights = |name: &str, is_sequence| {
            let (name, quoted) = (name.to_owned(), String::new());
            Relation { name, quoted, is_sequence }.rights(ModuleName::new("shop"))
        };
        let all = Some("select, insert, update, delete");
        assert_eq!((rights("shop_item", false), rights("dolmen_job", false)), (all, all));
        assert_eq!(rights("shop_item_id_seq", true), Some("usage"));
        for foreign in ["shop", "shopping_item", "stock_item", "dolmen_migration"] {
            assert_eq!(rights(foreign, false), None, "{foreign}");
        }
    }
}
