//! How far the log goes: on the primary at a commit, on a replica before a read.
//!
//! Each question travels with the statement that it belongs to, in one message, so none costs a round trip.

use dolmen_ports::{ErrorKind, PortError, PortResult};
use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either, PgConnection, Row as _, SqlStr};

use crate::driver::{LogPosition, Session, Standing};

/// What is inserted, not what is flushed: a commit that does not wait for the disk (`synchronous_commit = off`) is in
/// there too.
const COMMIT_AND_TELL: &str = "commit; \
     select pg_walfile_name(pg_current_wal_lsn()) as file, (pg_current_wal_insert_lsn() - '0/0')::bigint as at";

/// Asked in a transaction of its own: within the read's it would be asked after the state of the data was taken, and
/// could be further than that. A server that is no replica is the primary; whether it is ours, the looks at it tell.
const ASK: &str = "begin read only; \
     select (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end - '0/0')\
     ::bigint as at; commit";

// The timeline of a replica is the one that it receives, or has come to in what it received. Functions of the control
// file read it from the disk, which is for a look once a second and not for a commit.
const STANDING_OF_PRIMARY: &str = "select (select system_identifier from pg_control_system()) as system, null::bigint as timeline, \
     pg_walfile_name(pg_current_wal_lsn()) as file, (pg_current_wal_lsn() - '0/0')::bigint as at";
const STANDING_OF_REPLICA: &str = "select (select system_identifier from pg_control_system()) as system, \
     (case when pg_is_in_recovery() then greatest((select timeline_id from pg_control_checkpoint()), \
     (select min_recovery_end_timeline from pg_control_recovery()), \
     (select received_tli from pg_stat_wal_receiver)) end)::bigint as timeline, \
     case when pg_is_in_recovery() then null else pg_walfile_name(pg_current_wal_lsn()) end as file, \
     (case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_lsn() end - '0/0')::bigint as at";

/// Commits, and tells how far the log goes now; nothing when only the commit was answered well.
pub(super) async fn commit_and_tell(
    connection: &mut PgConnection,
) -> Result<Option<LogPosition>, sqlx::Error> {
    let mut answers = sqlx::raw_sql(COMMIT_AND_TELL).fetch_many(connection);
    let (mut is_committed, mut position) = (false, None);
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Left(_))) => is_committed = true,
            Ok(Some(Either::Right(row))) => {
                let offset = offset_of(row.try_get("at")?);
                position = timeline_of(row.try_get("file")?).zip(offset);
            }
            Ok(None) => break,
            Err(sqlx::Error::Database(_)) if is_committed => break,
            Err(error) => return Err(error),
        }
    }
    Ok(position.map(|(timeline, offset)| LogPosition { timeline, offset }))
}

/// Begins a read, and tells what it sees at least; nothing when the server does not know.
pub(super) async fn ask_and_begin(
    connection: &mut PgConnection,
    begin: SqlStr,
) -> Result<Option<u64>, sqlx::Error> {
    let message = AssertSqlSafe(format!("{ASK}; {}", begin.as_str()));
    let rows = sqlx::raw_sql(message).fetch_all(connection).await?;
    let at = rows.first().map(|row| row.try_get::<Option<i64>, _>("at")).transpose()?;
    Ok(at.flatten().and_then(offset_of))
}

/// Where the server of a session stands.
pub(super) async fn standing(session: &mut dyn Session, is_primary: bool) -> PortResult<Standing> {
    let sql = if is_primary { STANDING_OF_PRIMARY } else { STANDING_OF_REPLICA };
    let rows = session.fetch(sql, &[]).await?;
    let row = rows.first().ok_or_else(|| unknown("the server says nothing"))?;
    let timeline = match row.get::<Option<String>>("file")? {
        Some(file) => timeline_of(&file),
        None => row.get::<Option<u32>>("timeline")?,
    };
    let offset = row.get::<Option<i64>>("at")?.and_then(offset_of);
    let (Some(timeline), Some(offset)) = (timeline, offset) else {
        return Err(unknown("the server does not tell how far its log goes"));
    };
    Ok(Standing { system: row.get::<i64>("system")?.cast_unsigned(), timeline, offset })
}

fn unknown(detail: &'static str) -> PortError {
    PortError::new(ErrorKind::Unsupported, "database", "look at a replica").with_detail(detail)
}

/// The name of a file of the log begins with its timeline, in eight hexadecimal digits.
fn timeline_of(file: &str) -> Option<u32> {
    u32::from_str_radix(file.get(..8)?, 16).ok()
}

fn offset_of(at: i64) -> Option<u64> {
    u64::try_from(at).ok()
}
