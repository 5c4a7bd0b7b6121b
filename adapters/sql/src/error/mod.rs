//! What a driver's error means to a caller.

#[cfg(feature = "mysql")]
pub(crate) mod mysql;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
mod table;

use std::error::Error as _;

use dolmen_ports::{ErrorKind, PortError};

pub(crate) use self::table::of_module;

/// Translates an error of sqlx; `operation` is what was tried, an imperative such as `read the report`.
///
/// The text of the driver's error goes into the source, which is for logs only: it may hold SQL and data.
pub fn map_error(error: sqlx::Error, operation: &'static str) -> PortError {
    let kind = kind_of(&error);
    let mapped = PortError::new(kind, "database", operation);
    let mapped = match &error {
        sqlx::Error::PoolTimedOut => mapped.with_detail(
            "no connection came free in time: the database does not answer, or the pool is too small",
        ),
        sqlx::Error::PoolClosed => mapped.with_detail("the database is closed"),
        error => match table::detail(error, None) {
            Some(detail) => mapped.with_detail(detail),
            None => mapped,
        },
    };
    mapped.with_source(error)
}

/// The database's code of an error that it answered with; none when it did not answer.
pub(crate) fn code(error: &PortError) -> Option<String> {
    match error.source()?.downcast_ref()? {
        sqlx::Error::Database(error) => error.code().map(std::borrow::Cow::into_owned),
        _ => None,
    }
}

/// Translates an error of opening a connection: what makes no sense then comes from a server that starts or ends, or from
/// what stands before it.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) fn map_connect_error(error: sqlx::Error, operation: &'static str) -> PortError {
    if matches!(error, sqlx::Error::Protocol(_)) {
        return PortError::new(ErrorKind::Unavailable, "database", operation).with_source(error);
    }
    map_error(error, operation)
}

/// Whether the server has no connection left, for this user or for anybody.
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) fn is_refused_connection(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else { return false };
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return mysql::is_refused_connection(error.number());
    }
    error.code().as_deref() == Some("53300")
}

fn kind_of(error: &sqlx::Error) -> ErrorKind {
    match error {
        sqlx::Error::Database(error) => kind_of_database(&**error),
        sqlx::Error::RowNotFound => ErrorKind::NotFound,
        sqlx::Error::PoolTimedOut => ErrorKind::Timeout,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => ErrorKind::Unavailable,
        sqlx::Error::Encode(_) => ErrorKind::InvalidInput,
        _ => ErrorKind::Internal,
    }
}

fn kind_of_database(error: &dyn sqlx::error::DatabaseError) -> ErrorKind {
    #[cfg(feature = "mysql")]
    if let Some(error) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return mysql::kind(error.number(), error.code().unwrap_or_default());
    }
    #[cfg(feature = "postgres")]
    if postgres::is_of_stale_plan(error) {
        return ErrorKind::Contention;
    }
    let code = error.code();
    let code = code.as_deref().unwrap_or_default();
    // SQLSTATE has five characters; a result code of SQLite has at most four digits.
    if code.len() == 5 { kind_of_sqlstate(code) } else { kind_of_sqlite(code) }
}

fn kind_of_sqlstate(code: &str) -> ErrorKind {
    match code {
        "23505" => ErrorKind::AlreadyExists,
        "23503" | "23P01" => ErrorKind::Conflict,
        // Deadlock, serialization failure, a lock that was not had in time: run the unit of work again.
        "40P01" | "40001" | "55P03" => ErrorKind::Contention,
        "0A000" => ErrorKind::Unsupported,
        // Statement timeout, idle-in-transaction timeout.
        "57014" | "25P03" => ErrorKind::Timeout,
        // A write in a read-only transaction; a primary that became a replica is told apart by the session.
        "25006" => ErrorKind::PermissionDenied,
        // A right that the program's own user lacks is nothing that a caller can do about.
        "42501" => ErrorKind::Internal,
        "53100" => ErrorKind::StorageFull,
        // A value of a type that its column does not take.
        "42804" => ErrorKind::InvalidInput,
        "28000" | "28P01" => ErrorKind::Unauthenticated,
        _ => match code.get(..2) {
            Some("08" | "53" | "57" | "58") => ErrorKind::Unavailable,
            Some("22" | "23") => ErrorKind::InvalidInput,
            _ => ErrorKind::Internal,
        },
    }
}

/// Extended result codes: the low byte is the primary code.
fn kind_of_sqlite(code: &str) -> ErrorKind {
    let Ok(code) = code.parse::<u32>() else { return ErrorKind::Internal };
    match (code, code & 0xff) {
        // Unique, primary key, row id.
        (2067 | 1555 | 2579, _) => ErrorKind::AlreadyExists,
        // Foreign key, and its form raised by a trigger.
        (787 | 1811, _) => ErrorKind::Conflict,
        // Any other constraint: check, not null, type of a strict table; and too big.
        (_, 18..=20) => ErrorKind::InvalidInput,
        // Busy, locked.
        (_, 5 | 6) => ErrorKind::Contention,
        (_, 8 | 3) => ErrorKind::PermissionDenied,
        (_, 9) => ErrorKind::Timeout,
        // Disk full, also for the index of the journal, whose code says only that it could not grow.
        (4874, _) | (_, 13) => ErrorKind::StorageFull,
        // Out of memory, input or output failed, cannot open.
        (_, 7 | 10 | 14) => ErrorKind::Unavailable,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_mean_the_same_on_every_database() {
        let cases = [
            ("23505", "2067", ErrorKind::AlreadyExists),
            ("23505", "1555", ErrorKind::AlreadyExists),
            ("23503", "787", ErrorKind::Conflict),
            ("23514", "275", ErrorKind::InvalidInput),
            ("23502", "1299", ErrorKind::InvalidInput),
            ("22001", "3091", ErrorKind::InvalidInput),
            ("40001", "5", ErrorKind::Contention),
            ("40P01", "517", ErrorKind::Contention),
            ("55P03", "5", ErrorKind::Contention),
            ("25006", "8", ErrorKind::PermissionDenied),
            ("42501", "1", ErrorKind::Internal),
            ("53100", "13", ErrorKind::StorageFull),
            ("53100", "4874", ErrorKind::StorageFull),
            ("53200", "7", ErrorKind::Unavailable),
            ("42601", "1", ErrorKind::Internal),
        ];
        for (sqlstate, sqlite, kind) in cases {
            assert_eq!(kind_of_sqlstate(sqlstate), kind, "{sqlstate}");
            assert_eq!(kind_of_sqlite(sqlite), kind, "{sqlite}");
        }
    }

    #[test]
    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn what_makes_no_sense_while_connecting_is_a_server_that_is_not_there() {
        let garbage = || sqlx::Error::Protocol("unexpected response".into());
        assert_eq!(map_connect_error(garbage(), "connect").kind(), ErrorKind::Unavailable);
        assert_eq!(map_error(garbage(), "fetch").kind(), ErrorKind::Internal);
    }

    #[test]
    fn the_text_of_the_driver_is_for_logs_only() {
        let error = map_error(sqlx::Error::Protocol("secret".into()), "fetch");
        assert!(!error.to_string().contains("secret") && error.chain().contains("secret"));
    }
}
