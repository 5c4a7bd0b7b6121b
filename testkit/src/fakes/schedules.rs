//! The memory of published ticks.

use async_trait::async_trait;
use dolmen_ports::{PortResult, ReadTx, ScheduleStore, Timestamp, WriteTx};

use super::database::MemoryTable;

const TICKS: MemoryTable<(String, Timestamp), ()> = MemoryTable::new("dolmen_schedule_tick");

/// A schedule store in memory; its ticks lie in the [`MemoryDatabase`](super::MemoryDatabase) of the transaction.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct MemoryScheduleStore;

impl MemoryScheduleStore {
    /// The store.
    pub const fn new() -> Self {
        Self
    }
}

fn ticks(tx: &mut ReadTx, schedule: &str) -> PortResult<Vec<Timestamp>> {
    let range = (schedule.to_owned(), Timestamp::MIN)..=(schedule.to_owned(), Timestamp::MAX);
    Ok(TICKS.range(tx, range)?.into_iter().map(|((_, tick), ())| tick).collect())
}

#[async_trait]
impl ScheduleStore for MemoryScheduleStore {
    async fn record_tick(&self, tx: &mut WriteTx, schedule: &str, tick: Timestamp) -> PortResult<bool> {
        Ok(TICKS.put(tx, (schedule.to_owned(), tick), ())?.is_none())
    }

    async fn last_tick(&self, tx: &mut ReadTx, schedule: &str) -> PortResult<Option<Timestamp>> {
        Ok(ticks(tx, schedule)?.pop())
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        let mut removed = 0;
        for ((schedule, tick), ()) in TICKS.scan(tx, |(_, tick), ()| *tick < before)? {
            let is_latest = self.last_tick(tx, &schedule).await? == Some(tick);
            if removed < u64::from(limit) && !is_latest {
                TICKS.remove(tx, &(schedule, tick))?;
                removed += 1;
            }
        }
        Ok(removed)
    }
}
