//! `datetime(6)`: sent as text, which every comparison takes for what it is, and read in binary.
//!
//! The driver's own time types would bind a `timestamp`, which ends in 2038 and turns later years into NULL.

use dolmen_ports::Timestamp;
use sqlx::error::BoxDynError;

/// A timestamp as the server reads it: UTC, six digits.
pub(super) fn text(at: Timestamp) -> String {
    at.to_string().replace('T', " ").trim_end_matches('Z').to_owned()
}

/// A timestamp from the binary protocol: a length, the date, then the time and its microseconds unless they are zero.
pub(super) fn from_binary(bytes: &[u8]) -> Result<Timestamp, BoxDynError> {
    let (&length, fields) = bytes.split_first().ok_or("a time without a length")?;
    if usize::from(length) != fields.len() {
        return Err("a time whose length is wrong".into());
    }
    // What is left out at the end is zero.
    let mut all = [0_u8; 11];
    all.iter_mut().zip(fields).for_each(|(all, field)| *all = *field);
    let [year, century, month, day, hour, minute, second, micros @ ..] = all;
    let (year, micros) = (u16::from_le_bytes([year, century]), u32::from_le_bytes(micros));
    from_text(&format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}.{micros:06}"))
}

/// A timestamp from the text of an expression.
pub(super) fn from_text(text: &str) -> Result<Timestamp, BoxDynError> {
    Ok(format!("{}Z", text.replace(' ', "T")).parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_and_read_to_the_microsecond() {
        let at: Timestamp = "2026-10-25T01:30:00.00012Z".parse().unwrap();
        assert_eq!(text(at), "2026-10-25 01:30:00.000120");
        assert_eq!(from_text(&text(at)).unwrap(), at);
        assert_eq!(from_binary(&[11, 0xea, 7, 10, 25, 1, 30, 0, 120, 0, 0, 0]).unwrap(), at);
        assert_eq!(text(Timestamp::MIN), "0001-01-01 00:00:00.000000");
    }

    #[test]
    fn what_is_zero_is_left_out_by_the_server() {
        let day = from_binary(&[4, 0xea, 7, 10, 25]).unwrap();
        assert_eq!(day, "2026-10-25T00:00:00Z".parse().unwrap());
        let second = from_binary(&[7, 0xea, 7, 10, 25, 1, 30, 9]).unwrap();
        assert_eq!(second, "2026-10-25T01:30:09Z".parse().unwrap());
    }

    #[test]
    fn a_date_that_is_none_is_refused() {
        // The zero date of servers that are not strict, and garbage.
        for bytes in [&[0_u8][..], &[], &[4, 0, 0, 0, 0], &[7, 0xea, 7], &[4, 0xea, 7, 13, 1]] {
            assert!(from_binary(bytes).is_err(), "{bytes:?}");
        }
    }
}
