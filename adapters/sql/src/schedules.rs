//! Which ticks were published: the table `dolmen_schedule_tick`.

use async_trait::async_trait;
use dolmen_ports::{Dialect, PortResult, ReadTx, ScheduleStore, Timestamp, WriteTx};

use crate::database::SqlTx;
use crate::statement::framework_sql;

/// Remembers ticks in the transaction that publishes them.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct SqlScheduleStore;

impl SqlScheduleStore {
    /// The store; it works in whatever transaction it is given.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl ScheduleStore for SqlScheduleStore {
    async fn record_tick(&self, tx: &mut WriteTx, schedule: &str, tick: Timestamp) -> PortResult<bool> {
        // The primary key decides, so two schedulers are harmless: the second one waits for the first one's end.
        let inserted = framework_sql!(
            "insert into dolmen_schedule_tick (schedule, tick) values (?, ?) {ignore_conflict schedule, tick}",
            schedule,
            tick
        )
        .execute(tx)
        .await?;
        Ok(inserted == 1)
    }

    async fn last_tick(&self, tx: &mut ReadTx, schedule: &str) -> PortResult<Option<Timestamp>> {
        let (last,) =
            framework_sql!("select max(tick) from dolmen_schedule_tick where schedule = ?", schedule)
                .fetch_one(tx)
                .await?;
        Ok(last)
    }

    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
        if tx.driver_mut::<SqlTx>()?.dialect() == Dialect::MySql {
            return prune_in_mysql(tx, before, limit).await;
        }
        framework_sql!(
            "with dolmen_old as (
                 select old.schedule, old.tick from dolmen_schedule_tick as old
                 where old.tick < ? and exists (
                     select 1 from dolmen_schedule_tick as later
                     where later.schedule = old.schedule and later.tick > old.tick)
                 order by old.schedule, old.tick limit ?)
             delete from dolmen_schedule_tick where (schedule, tick) in (select schedule, tick from dolmen_old)",
            before,
            limit
        )
        .execute(tx)
        .await
    }
}

/// Schedule by schedule: the family has no `with` before a delete, and MySQL no look at the table that it deletes from.
async fn prune_in_mysql(tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64> {
    let last_ticks: Vec<(String, Timestamp)> = framework_sql!(
        "select schedule, max(tick) from dolmen_schedule_tick group by schedule order by schedule"
    )
    .fetch_all(tx)
    .await?;
    let mut removed = 0;
    for (schedule, last) in last_ticks {
        removed += framework_sql!(
            "delete from dolmen_schedule_tick where schedule = ? and tick < ? order by tick limit ?",
            &schedule,
            before.min(last),
            i64::from(limit).saturating_sub_unsigned(removed)
        )
        .execute(tx)
        .await?;
        if removed >= u64::from(limit) {
            break;
        }
    }
    Ok(removed)
}
