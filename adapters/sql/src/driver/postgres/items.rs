//! Reading the items of an array of PostgreSQL one by one, where they lie: claims read many.

use std::borrow::Cow;

use dolmen_ports::Uuid;
use sqlx::postgres::{PgRow, PgValueFormat};
use sqlx::{Row as _, ValueRef as _};

use super::time;
use crate::statement::{Kind, Mismatch, Value};

/// The items of an array that are not read yet. What does not fit its kind is an item too, and the last one.
///
/// As `array_send` of PostgreSQL's `arrayfuncs.c` writes it, big-endian: the number of dimensions, whether there is NULL, the type of
/// the items; of each dimension how long it is and its first index; of each item how long it is, or -1 for NULL, and its bytes.
pub(super) struct Items<'r> {
    kind: Kind,
    rest: &'r [u8],
    left: i32,
}

impl<'r> Items<'r> {
    /// Those of the array in a column, which has one dimension or is empty.
    pub(super) fn of(row: &'r PgRow, index: usize, kind: Kind) -> Result<Self, Mismatch> {
        let value = row.try_get_raw(index).map_err(Mismatch::new)?;
        if value.is_null() {
            return Err(Mismatch::new("it is NULL, not an array"));
        }
        if value.format() == PgValueFormat::Text {
            return Err(Mismatch::new("arrays are read in binary, through a statement with placeholders"));
        }
        Self::new(value.as_bytes().map_err(Mismatch::new)?, kind)
    }

    fn new(array: &'r [u8], kind: Kind) -> Result<Self, Mismatch> {
        let mut items = Self { kind, rest: array, left: 0 };
        let (dimensions, _has_null, of_type) = (items.integer()?, items.integer()?, items.integer()?);
        if !types(kind).contains(&of_type) {
            return Err(Mismatch::new(format!("its items have the type {of_type}, which is not {kind:?}")));
        }
        match dimensions {
            0 => {}
            1 => {
                (items.left, _) = (items.integer()?, items.integer()?);
                if items.left < 0 {
                    return Err(Mismatch::new("the array has a negative length"));
                }
            }
            more => return Err(Mismatch::new(format!("the array has {more} dimensions"))),
        }
        Ok(items)
    }

    fn integer(&mut self) -> Result<i32, Mismatch> {
        let (first, rest) = self.rest.split_first_chunk().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(i32::from_be_bytes(*first))
    }

    fn item(&mut self) -> Result<Value<'r>, Mismatch> {
        // Only NULL is shorter than nothing.
        let Ok(length) = usize::try_from(self.integer()?) else { return Ok(Value::Null(self.kind)) };
        let (item, rest) = self.rest.split_at_checked(length).ok_or_else(cut_off)?;
        self.rest = rest;
        match self.kind {
            Kind::Bool => match item {
                [0] => Ok(Value::Bool(false)),
                [1] => Ok(Value::Bool(true)),
                _ => Err(Mismatch::new("a boolean is neither 0 nor 1")),
            },
            Kind::Integer => integer(item).map(Value::Integer),
            Kind::Uuid => Uuid::from_slice(item).map(Value::Uuid).map_err(Mismatch::new),
            Kind::Timestamp => time::from_wire(integer(item)?).map(Value::Timestamp).map_err(Mismatch::new),
            _ => {
                let text = std::str::from_utf8(item).map_err(Mismatch::new)?;
                Ok(Value::Text(Cow::Borrowed(text)))
            }
        }
    }
}

impl<'r> Iterator for Items<'r> {
    type Item = Result<Value<'r>, Mismatch>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let item = self.item();
        self.left = if item.is_ok() { self.left - 1 } else { 0 };
        Some(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // An item takes four bytes and more; one more item tells that the array is cut off.
        let most = usize::try_from(self.left).unwrap_or(0).min(self.rest.len() / 4 + 1);
        (0, Some(most))
    }
}

/// The types of PostgreSQL that items of a kind may have, by their numbers in `pg_type`. Arrays of other kinds are not read.
fn types(kind: Kind) -> &'static [i32] {
    match kind {
        Kind::Bool => &[16],
        Kind::Integer => &[20, 21, 23],
        Kind::Text => &[25],
        Kind::Uuid => &[2950],
        Kind::Timestamp => &[1184],
        Kind::Float | Kind::Bytes | Kind::Json => &[],
    }
}

fn integer(item: &[u8]) -> Result<i64, Mismatch> {
    let eight = item.try_into().map(i64::from_be_bytes);
    let four = || item.try_into().map(|item| i32::from_be_bytes(item).into());
    let two = || item.try_into().map(|item| i16::from_be_bytes(item).into());
    eight
        .or_else(|_| four())
        .or_else(|_| two())
        .map_err(|_| Mismatch::new(format!("an integer has {} bytes", item.len())))
}

fn cut_off() -> Mismatch {
    Mismatch::new("the array ends before its items do")
}

#[cfg(test)]
mod tests {
    use dolmen_ports::Timestamp;

    use super::*;

    fn array(of_type: i32, items: &[Option<&[u8]>]) -> Vec<u8> {
        let length = i32::try_from(items.len()).expect("a few");
        let mut bytes: Vec<u8> =
            [1, 0, of_type, length, 1].iter().flat_map(|part: &i32| part.to_be_bytes()).collect();
        for item in items {
            let length = item.map_or(-1, |item| i32::try_from(item.len()).expect("short"));
            bytes.extend(length.to_be_bytes());
            bytes.extend(item.unwrap_or_default());
        }
        bytes
    }

    fn read(bytes: &[u8], kind: Kind) -> Result<Vec<Value<'_>>, String> {
        Items::new(bytes, kind).and_then(Iterator::collect).map_err(|error| error.to_string())
    }

    #[test]
    fn items_are_read_in_order_and_null_is_one() {
        let texts = array(25, &[Some(b"one"), None, Some(b"")]);
        let text = |text| Value::Text(Cow::Borrowed(text));
        assert_eq!(read(&texts, Kind::Text), Ok(vec![text("one"), Value::Null(Kind::Text), text("")]));
        let integers = array(
            23,
            &[Some(&7_i32.to_be_bytes()), Some(&(-1_i64).to_be_bytes()), Some(&3_i16.to_be_bytes())],
        );
        assert_eq!(read(&integers, Kind::Integer), Ok([7, -1, 3].map(Value::Integer).to_vec()));
        assert_eq!(
            read(&array(16, &[Some(&[1]), Some(&[0])]), Kind::Bool),
            Ok([true, false].map(Value::Bool).to_vec())
        );
        let id = Uuid::from_u128(7);
        assert_eq!(read(&array(2950, &[Some(id.as_bytes())]), Kind::Uuid), Ok(vec![Value::Uuid(id)]));
        // Microseconds since 2000.
        let time = Timestamp::from_unix_micros(946_684_800_000_005);
        let times = array(1184, &[Some(&5_i64.to_be_bytes())]);
        assert_eq!(read(&times, Kind::Timestamp), Ok(vec![Value::Timestamp(time)]));
        let nothing: Vec<u8> = [0_i32, 0, 25].iter().flat_map(|part| part.to_be_bytes()).collect();
        assert_eq!(read(&nothing, Kind::Text), Ok(Vec::new()));
    }

    #[test]
    fn what_is_no_array_of_the_kind_is_refused_in_words() {
        let refused = |bytes: &[u8], kind| read(bytes, kind).expect_err("refused");
        assert_eq!(
            refused(&array(25, &[Some(b"one")]), Kind::Uuid),
            "its items have the type 25, which is not Uuid"
        );
        assert_eq!(refused(&array(20, &[Some(b"one")]), Kind::Integer), "an integer has 3 bytes");
        let texts = array(25, &[Some(b"one"), Some(b"two")]);
        for end in [0, 11, 19, 21, 26, 31] {
            let part = texts.get(..end).expect("a part");
            assert_eq!(refused(part, Kind::Text), "the array ends before its items do", "{end}");
        }
        let mut fewer = texts.clone();
        fewer.splice(12..16, (-1_i32).to_be_bytes());
        assert_eq!(refused(&fewer, Kind::Text), "the array has a negative length");
        assert!(refused(&array(2950, &[Some(&[0; 15])]), Kind::Uuid).contains("15"));
        let mut square = texts.clone();
        square.splice(..4, 2_i32.to_be_bytes());
        assert_eq!(refused(&square, Kind::Text), "the array has 2 dimensions");
        assert!(refused(&array(25, &[Some(&[0xff])]), Kind::Text).contains("utf-8"));
    }
}
