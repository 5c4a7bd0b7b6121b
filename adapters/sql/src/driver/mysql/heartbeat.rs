//! How far a replica has come: as far as the last heartbeat that it applied.
//!
//! The binary log has a position too, but each server family and each way of replicating names it differently, and asking
//! for it needs a privilege. A row that is written on the primary arrives on every replica, in its place among all other
//! writes.

use std::hash::{BuildHasher, Hasher, RandomState};

use dolmen_ports::{ErrorKind, PortError, PortResult, Timestamp};

use crate::driver::{Session, Standing};
use crate::statement::Value;

const BEAT: &str = "insert into dolmen_replica_heartbeat (id, origin, at) values (1, ?, utc_timestamp(6)) \
     on duplicate key update at = greatest(at + interval 1 microsecond, values(at))";
const SEE: &str = "select origin, at from dolmen_replica_heartbeat where id = 1";

/// Where the server of a session stands; on the primary after a new heartbeat.
pub(super) async fn standing(session: &mut dyn Session, is_primary: bool) -> PortResult<Standing> {
    if is_primary {
        let origin = RandomState::new().build_hasher().finish().cast_signed();
        session.execute(BEAT, &[Value::Integer(origin)]).await?;
    }
    let rows = session.fetch(SEE, &[]).await?;
    let row = rows.first().ok_or_else(|| {
        PortError::new(ErrorKind::Unavailable, "database", "look at a replica")
            .with_detail("no heartbeat of the primary has arrived there")
    })?;
    Ok(Standing {
        system: row.get::<i64>("origin")?.cast_unsigned(),
        // The log is not asked, so there is no branch of it to tell.
        timeline: 0,
        offset: row.get::<Timestamp>("at")?.as_unix_micros().cast_unsigned(),
    })
}
