//! `timestamptz` as the wire has it: microseconds since 2000, so nothing is rounded and no time zone plays a part.

use dolmen_ports::Timestamp;
use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

/// Microseconds from 1970 to 2000.
const EPOCH_MICROS: i64 = 946_684_800_000_000;
const TIMESTAMPTZ: PgTypeInfo = PgTypeInfo::with_oid(Oid(1184));

pub(crate) struct PgTimestamp(pub(crate) Timestamp);

impl Type<Postgres> for PgTimestamp {
    fn type_info() -> PgTypeInfo {
        TIMESTAMPTZ
    }
}

impl Encode<'_, Postgres> for PgTimestamp {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        Encode::<Postgres>::encode(self.0.as_unix_micros() - EPOCH_MICROS, buffer)
    }
}

impl<'r> Decode<'r, Postgres> for PgTimestamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.format() == PgValueFormat::Text {
            return Err("timestamps are read in binary, through a statement with placeholders".into());
        }
        from_wire(<i64 as Decode<Postgres>>::decode(value)?).map(Self)
    }
}

/// The instant of what the wire has.
pub(super) fn from_wire(micros: i64) -> Result<Timestamp, BoxDynError> {
    // Infinity, and years that the other databases do not have, are no instants of ours.
    let at = micros.checked_add(EPOCH_MICROS).map(Timestamp::from_unix_micros);
    match at {
        Some(at) if at.as_unix_micros() == micros + EPOCH_MICROS => Ok(at),
        _ => Err("the time lies outside of year 1 to 9999".into()),
    }
}
