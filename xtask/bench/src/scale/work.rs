//! Kinds of jobs, from one that only costs the queue to one that mostly waits.

use std::fmt;

use dolmen::{AppPorts, BoxError, PortResult, WriteTx};
use dolmen_sql::SqlDatabase;

use crate::jobs::ours;
use crate::shop::OrderPlaced;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    Nothing,
    Row,
    Call,
}

impl Work {
    pub(super) const ALL: [Self; 3] = [Self::Call, Self::Row, Self::Nothing];

    /// What a process does in a second, roughly: how many jobs are worth measuring.
    pub(super) fn about_a_second(self) -> usize {
        match self {
            Self::Nothing => 60_000,
            Self::Row => 1_500,
            Self::Call => 700,
        }
    }

    /// Jobs that a process runs at once: as many as it has by default, or where a job takes no time, enough.
    pub(super) fn concurrency(self) -> &'static str {
        match self {
            Self::Nothing => "4000",
            Self::Row | Self::Call => "16",
        }
    }

    /// Enqueues so many.
    pub(super) async fn fill(self, sql: &SqlDatabase, ports: &AppPorts, jobs: usize) -> Result<(), BoxError> {
        let carrier_ms = match self {
            Self::Nothing => return ours::fill(sql, jobs).await,
            Self::Row => 0,
            Self::Call => 20,
        };
        let events = ports.events();
        for first in (0..jobs).step_by(500) {
            let last = jobs.min(first + 500);
            let write = ports.database().system().write(async |tx: &mut WriteTx| -> PortResult<()> {
                for number in first..last {
                    let number = i64::try_from(number).unwrap_or_default();
                    let customer = "Ada Stone".to_owned();
                    events
                        .publish(tx, &OrderPlaced { number, customer, carrier_ms, placed_at_us: 0 })
                        .await?;
                }
                Ok(())
            });
            write.await?;
        }
        Ok(())
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nothing => "does nothing (4,000 at once)",
            Self::Row => "writes a row (16 at once)",
            Self::Call => "waits for 20 ms, writes a row (16 at once)",
        })
    }
}
