//! Ids that are the same in every run of a test.

use std::sync::atomic::{AtomicU64, Ordering};

use dolmen_ports::{IdGenerator, Uuid};

/// Milliseconds since 1970 in every id: 2026-01-01T00:00:00Z.
const MILLIS: u128 = 1_767_225_600_000;

/// Makes the ids 1, 2, 3 … in the shape of UUID version 7, so that they are valid, ascend and read well in failures.
///
/// Two generators make the same ids unless they have different series; a program that needs unique ids takes
/// [`UuidV7Ids`](dolmen_ports::UuidV7Ids).
///
/// # Examples
/// ```
/// use dolmen_ports::IdGenerator;
/// use dolmen_testkit::fakes::SequentialIds;
/// assert_eq!(SequentialIds::new().next().to_string(), "019b76da-a800-7000-8000-000000000001");
/// ```
#[derive(Debug, Default)]
pub struct SequentialIds {
    series: u16,
    last: AtomicU64,
}

impl SequentialIds {
    /// Ids from 1.
    pub fn new() -> Self {
        Self::default()
    }

    /// Ids from 1 that differ from those of every other series; a series is 0 to 4,095.
    pub fn series(series: u16) -> Self {
        Self { series: series & 0x0fff, last: AtomicU64::new(0) }
    }
}

impl IdGenerator for SequentialIds {
    fn next(&self) -> Uuid {
        let count = u128::from(self.last.fetch_add(1, Ordering::SeqCst) + 1);
        Uuid::from_u128(MILLIS << 80 | 7 << 76 | u128::from(self.series) << 64 | 2 << 62 | count)
    }
}
