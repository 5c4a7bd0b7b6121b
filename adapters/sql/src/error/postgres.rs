//! What PostgreSQL says with more than a SQLSTATE. Its words are in the language of the server, so nothing is read from them.

use std::error::Error as _;

use dolmen_ports::PortError;
use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// Where the server finds out that a kept plan returns other columns than it did.
const STALE_PLAN: &str = "RevalidateCachedQuery";

/// Whether a migration has made a statement's plan stale, so that it has to be prepared anew.
pub(crate) fn is_stale_plan(error: &PortError) -> bool {
    answer(error).is_some_and(is_of_stale_plan)
}

/// The same of the driver's error.
pub(super) fn is_of_stale_plan(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    error.is_some_and(|error| error.code() == "0A000" && error.routine() == Some(STALE_PLAN))
}

/// Whether a write was refused because the transaction, or the server, only reads.
pub(crate) fn is_read_only(error: &PortError) -> bool {
    answer(error).is_some_and(|error| error.code().as_deref() == Some("25006"))
}

/// What the server answered; nothing when it did not answer.
fn answer(error: &PortError) -> Option<&dyn DatabaseError> {
    match error.source()?.downcast_ref()? {
        sqlx::Error::Database(error) => Some(&**error),
        _ => None,
    }
}
