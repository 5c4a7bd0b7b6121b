//! Errors about a table that the asking module may not touch, or that is not there: both are most often a module that
//! reaches for a table of another one.

use std::error::Error as _;

use dolmen_ports::{ModuleName, PortError};

/// What a database said about a table.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Complaint {
    /// The right to it is missing. It is named with what it is, such as `table other_item`, where the server says so in English.
    Refused(Option<String>),
    /// It is not there.
    Absent(String),
}

/// Words for a person about an error of the driver that is about a table.
pub(super) fn detail(error: &sqlx::Error, module: Option<ModuleName>) -> Option<String> {
    let sqlx::Error::Database(error) = error else { return None };
    let who = module.map_or_else(|| "this database user".to_owned(), |module| format!("the module {module}"));
    let rule = "a module touches only the tables whose names begin with its own, and asks other modules through \
                their api";
    Some(match complaint(&**error)? {
        Complaint::Refused(table) => {
            let table = table.as_deref().unwrap_or("table");
            format!(
                "{who} may not touch the {table}: {rule}; if it is its own, grant the database user the right to it"
            )
        }
        Complaint::Absent(table) => {
            format!(
                "{who} wants the table {table}, which is not there: {rule}; if it is its own table, run the role migrate"
            )
        }
    })
}

/// The same error, with the module that it happened to in its words.
pub(crate) fn of_module(error: PortError, module: Option<ModuleName>) -> PortError {
    let source = error.source().filter(|_| module.is_some()).and_then(|source| source.downcast_ref());
    match source.and_then(|source| detail(source, module)) {
        Some(detail) => error.with_detail(detail),
        None => error,
    }
}

fn complaint(error: &dyn sqlx::error::DatabaseError) -> Option<Complaint> {
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return of_mysql(error.number(), error.message());
    }
    match error.code().as_deref() {
        Some("42501") => Some(Complaint::Refused(refused_by_postgres(error.message()))),
        Some("42P01") => Some(Complaint::Absent(quoted(error.message(), '"')?.to_owned())),
        Some("1") => Some(Complaint::Absent(after(error.message(), "no such table: ")?.to_owned())),
        _ => None,
    }
}

#[cfg(feature = "mysql")]
fn of_mysql(number: u16, message: &str) -> Option<Complaint> {
    match number {
        // The right to a table; to a column of it.
        1142 => {
            let table = message.rsplit_once("for table ").map(|(_, table)| table.replace(['`', '\''], ""));
            Some(Complaint::Refused(table.map(|table| format!("table {}", unqualified(&table)))))
        }
        1143 => Some(Complaint::Refused(None)),
        1146 => Some(Complaint::Absent(unqualified(quoted(message, '\'')?).to_owned())),
        _ => None,
    }
}

/// `table other_item`; nothing when the server speaks another language than English.
fn refused_by_postgres(message: &str) -> Option<String> {
    let starts = ["permission denied for ", "must be owner of "];
    starts.iter().find_map(|start| message.strip_prefix(start)).map(str::to_owned)
}

/// The word after these words.
fn after<'m>(message: &'m str, words: &str) -> Option<&'m str> {
    let (_, rest) = message.split_once(words)?;
    rest.split_whitespace().next()
}

fn quoted(message: &str, mark: char) -> Option<&str> {
    message.split(mark).nth(1).filter(|name| !name.is_empty())
}

#[cfg(feature = "mysql")]
fn unqualified(table: &str) -> &str {
    table.rsplit('.').next().unwrap_or(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_from_what_each_database_says() {
        let refused = |message| refused_by_postgres(message);
        assert_eq!(refused("permission denied for table other_item").as_deref(), Some("table other_item"));
        assert_eq!(refused("must be owner of table other_item").as_deref(), Some("table other_item"));
        assert_eq!(refused("keine Berechtigung für Tabelle other_item"), None);
        assert_eq!(quoted("relation \"other_item\" does not exist", '"'), Some("other_item"));
        assert_eq!(after("no such table: other_item", "no such table: "), Some("other_item"));
    }

    #[test]
    #[cfg(feature = "mysql")]
    fn the_table_is_read_from_what_mariadb_and_mysql_say() {
        let absent = of_mysql(1146, "Table 'app.other_item' doesn't exist");
        assert_eq!(absent, Some(Complaint::Absent("other_item".to_owned())));
        for message in [
            "SELECT command denied to user 'app'@'localhost' for table `app`.`other_item`",
            "SELECT command denied to user 'app'@'localhost' for table 'other_item'",
        ] {
            assert_eq!(
                of_mysql(1142, message),
                Some(Complaint::Refused(Some("table other_item".to_owned())))
            );
        }
        assert_eq!(of_mysql(1064, "a syntax error"), None);
    }
}
