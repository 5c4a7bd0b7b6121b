//! Errors of MariaDB and MySQL, by their numbers: their SQLSTATE is too coarse, and most often `HY000`.

use std::error::Error as _;

use dolmen_ports::{ErrorKind, PortError};

/// The database of the URL is not there.
pub(crate) const UNKNOWN_DATABASE: u16 = 1049;

/// What can only be said before a transaction begins.
pub(crate) const WITHIN_A_TRANSACTION: u16 = 1568;

/// The server's number of an error that it answered with; none when it did not answer.
pub(crate) fn number(error: &PortError) -> Option<u16> {
    match error.source()?.downcast_ref()? {
        sqlx::Error::Database(error) => error
            .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
            .map(sqlx::mysql::MySqlDatabaseError::number),
        _ => None,
    }
}

/// The server refuses every write, as a replica does: `read_only` and its kin.
pub(crate) fn is_read_only_server(number: u16) -> bool {
    matches!(number, 1290 | 1836)
}

/// The server has no connection left, for anybody or for this user.
pub(crate) fn is_refused_connection(number: u16) -> bool {
    matches!(number, 1040 | 1203 | 1226)
}

/// A table was changed after the transaction or the statement had seen it.
pub(crate) fn is_stale(number: u16) -> bool {
    matches!(number, 1412 | 1615)
}

/// The table or index is there already, or gone already: what a schema change says when it is made twice.
pub(crate) fn is_made_already(number: u16) -> bool {
    // Table; column; key; nothing to drop; unknown table or view to drop; constraint; foreign key, in both families.
    matches!(number, 1050 | 1060 | 1061 | 1091 | 1051 | 4092 | 3822 | 1826 | 1022 | 1068)
}

/// A lock on a table or a row was not to be had, or there was a deadlock: nothing of the statement is there.
pub(crate) fn is_lock_refused(number: u16) -> bool {
    matches!(number, 1205 | 1213)
}

pub(super) fn kind(number: u16, sqlstate: &str) -> ErrorKind {
    match number {
        1062 | 1586 | 1169 | 1022 => ErrorKind::AlreadyExists,
        // A foreign key: its row is missing, or still in use.
        1216 | 1217 | 1451 | 1452 => ErrorKind::Conflict,
        // Deadlock; a lock that was not had in time, or at once; a row that changed since the snapshot; a statement that a
        // migration made stale.
        1213 | 1205 | 3572 | 1020 | 1412 | 1615 => ErrorKind::Contention,
        // Statement time, interrupted.
        1969 | 3024 | 1317 => ErrorKind::Timeout,
        // MariaDB's check; MySQL has another meaning for the number.
        4025 if sqlstate != "23000" => ErrorKind::Internal,
        // Not null, no default, wrong, too large, cut off, too long, check, no JSON, packet too large, no such database.
        1048 | 1364 | 1366 | 1292 | 1264 | 1265 | 1406 | 1411 | 1690 | 1367 | 3819 | 4025 | 3140 | 3156
        | 4038 | 1153 | UNKNOWN_DATABASE => ErrorKind::InvalidInput,
        1045 | 1698 | 1251 | 1820 | 3118 => ErrorKind::Unauthenticated,
        // A user who may not use the database or the server so; a write in a read-only transaction or on a read-only server.
        // A right to a table that is missing, 1142 and 1143, is nothing that a caller can do about.
        1044 | 1227 | 1370 | 1290 | 1792 | 1836 => ErrorKind::PermissionDenied,
        // Disk full; table full, which InnoDB says when its disk is.
        1021 | 1114 => ErrorKind::StorageFull,
        // Connections, memory, locks used up; shutting down, killed; the network.
        1040
        | 1203
        | 1226
        | 1037
        | 1038
        | 1041
        | 1206
        | 1053
        | 1077
        | 1079
        | 1080
        | 1927
        | 1152
        | 1158..=1161
        | 1184
        | 4031 => ErrorKind::Unavailable,
        1235 | 1178 => ErrorKind::Unsupported,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_mean_what_codes_mean_on_other_databases() {
        let cases = [
            (1062, ErrorKind::AlreadyExists),
            (1451, ErrorKind::Conflict),
            (1452, ErrorKind::Conflict),
            (1213, ErrorKind::Contention),
            (1205, ErrorKind::Contention),
            (1969, ErrorKind::Timeout),
            (1048, ErrorKind::InvalidInput),
            (1366, ErrorKind::InvalidInput),
            (1406, ErrorKind::InvalidInput),
            (1045, ErrorKind::Unauthenticated),
            (1290, ErrorKind::PermissionDenied),
            (1792, ErrorKind::PermissionDenied),
            (1021, ErrorKind::StorageFull),
            (1114, ErrorKind::StorageFull),
            (1040, ErrorKind::Unavailable),
            (1927, ErrorKind::Unavailable),
            (1142, ErrorKind::Internal),
            (1064, ErrorKind::Internal),
        ];
        for (number, expected) in cases {
            assert_eq!(kind(number, "HY000"), expected, "{number}");
        }
        assert_eq!(kind(4025, "23000"), ErrorKind::InvalidInput);
        assert_eq!(kind(4025, "HY000"), ErrorKind::Internal);
    }

    #[test]
    fn silence_has_no_number() {
        let lost = crate::map_error(sqlx::Error::Io(std::io::ErrorKind::BrokenPipe.into()), "fetch");
        assert_eq!(number(&lost), None);
    }
}
