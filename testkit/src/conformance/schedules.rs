//! The suite of the schedule store: rules `SC-1` to `SC-3`.
//!
//! # Examples
//! A harness of a port that lives in transactions adds one method:
//! ```no_run
//! use std::{process::ExitCode, sync::Arc};
//! use dolmen_ports::{BoxError, Database, ScheduleStore};
//! use dolmen_testkit::conformance::{self, Harness, TransactionHarness, schedules::SchedulesHarness};
//! struct Mine { database: Database, schedules: Arc<dyn ScheduleStore> }
//! impl Harness for Mine {}
//! impl TransactionHarness for Mine { fn database(&self) -> &Database { &self.database } }
//! impl SchedulesHarness for Mine { fn schedules(&self) -> Arc<dyn ScheduleStore> { Arc::clone(&self.schedules) } }
//! async fn fresh() -> Result<Mine, BoxError> { Err("here an empty database is made".into()) }
//! fn main() -> ExitCode { conformance::run(conformance::schedules::cases("mine", fresh)) }
//! ```

use std::sync::Arc;

use dolmen_ports::{PortResult, ScheduleStore, Timestamp};
use tokio::task::JoinSet;

use super::failure::{CaseResult, ensure, ensure_eq};
use super::harness::TransactionHarness;
use super::suite::{Suite, add_cases, cases_of};

/// Gives the schedule suite a store.
pub trait SchedulesHarness: TransactionHarness {
    /// The store, in the transactions of the harness's database.
    fn schedules(&self) -> Arc<dyn ScheduleStore>;
}

cases_of!(dyn SchedulesHarness, suite());

pub(super) fn suite() -> Suite<dyn SchedulesHarness> {
    add_cases!(Suite::new("schedules"),
        "SC-1": a_tick_is_recorded_once,
        "SC-1": of_concurrent_recorders_exactly_one_succeeds,
        "SC-1": ticks_belong_to_their_schedule_and_instant,
        "SC-2": a_rolled_back_tick_was_not_recorded,
        "SC-2": a_recorder_does_not_believe_in_a_tick_that_is_rolled_back,
        "SC-3": the_last_tick_is_the_latest_whatever_the_order,
        "SC-3": the_last_tick_survives_pruning,
        "SC-3": prune_forgets_at_most_its_limit_and_only_old_ticks,
    )
}

type H = Arc<dyn SchedulesHarness>;

/// An instant, in minutes after a start that has microseconds.
fn minute(number: i64) -> Timestamp {
    Timestamp::from_unix_micros(1_790_000_000_000_007 + number * 60_000_000)
}

async fn record(harness: &H, schedule: &str, tick: Timestamp) -> PortResult<bool> {
    let store = harness.schedules();
    harness.database().system().write(async |tx| store.record_tick(tx, schedule, tick).await).await
}

async fn last(harness: &H, schedule: &str) -> PortResult<Option<Timestamp>> {
    let store = harness.schedules();
    harness.database().system().read(async |tx| store.last_tick(tx, schedule).await).await
}

async fn prune(harness: &H, before: Timestamp, limit: u32) -> PortResult<u64> {
    let store = harness.schedules();
    harness.database().system().write(async |tx| store.prune(tx, before, limit).await).await
}

async fn a_tick_is_recorded_once(harness: H) -> CaseResult {
    ensure_eq!(last(&harness, "nightly").await?, None, "the last tick of a new schedule");
    ensure!(record(&harness, "nightly", minute(1)).await?, "the first record should succeed");
    ensure!(!record(&harness, "nightly", minute(1)).await?, "the second record should not succeed");
    let store = harness.schedules();
    let twice = harness.database().system().write(async |tx| {
        let first = store.record_tick(tx, "nightly", minute(2)).await?;
        PortResult::Ok((first, store.record_tick(tx, "nightly", minute(2)).await?))
    });
    ensure_eq!(twice.await?, (true, false), "two records in one transaction");
    ensure_eq!(last(&harness, "nightly").await?, Some(minute(2)), "the last tick");
    Ok(())
}

async fn of_concurrent_recorders_exactly_one_succeeds(harness: H) -> CaseResult {
    for number in 0..10 {
        let mut recorders = JoinSet::new();
        for _ in 0..4 {
            let harness = Arc::clone(&harness);
            recorders.spawn(async move { record(&harness, "nightly", minute(number)).await });
        }
        let mut succeeded = 0;
        while let Some(result) = recorders.join_next().await {
            succeeded += u32::from(result??);
        }
        ensure_eq!(succeeded, 1, "recorders of tick {number} that succeeded");
    }
    Ok(())
}

async fn ticks_belong_to_their_schedule_and_instant(harness: H) -> CaseResult {
    let micro = Timestamp::from_unix_micros(minute(1).as_unix_micros() + 1);
    for (schedule, tick) in [
        ("reports.nightly", minute(1)),
        ("reports.Nightly", minute(1)),
        ("reports.nightly ", minute(1)),
        ("reports", minute(1)),
        ("reports.nightly", micro),
        ("reports.nightly", Timestamp::MIN),
        ("reports.nightly", Timestamp::MAX),
    ] {
        ensure!(record(&harness, schedule, tick).await?, "{schedule:?} at {tick} should be new");
        ensure!(!record(&harness, schedule, tick).await?, "{schedule:?} at {tick} should be known");
    }
    ensure_eq!(last(&harness, "reports").await?, Some(minute(1)), "the last tick of another schedule");
    Ok(())
}

async fn a_rolled_back_tick_was_not_recorded(harness: H) -> CaseResult {
    let mut tx = harness.database().system().begin().await?;
    ensure!(harness.schedules().record_tick(&mut tx, "nightly", minute(1)).await?, "the tick should be new");
    tx.rollback().await?;
    ensure_eq!(last(&harness, "nightly").await?, None, "the last tick after the rollback");
    ensure!(record(&harness, "nightly", minute(1)).await?, "the tick should be new after the rollback");
    Ok(())
}

async fn a_recorder_does_not_believe_in_a_tick_that_is_rolled_back(harness: H) -> CaseResult {
    let mut tx = harness.database().system().begin().await?;
    harness.schedules().record_tick(&mut tx, "nightly", minute(1)).await?;
    let mut second = JoinSet::new();
    let task_harness = Arc::clone(&harness);
    second.spawn(async move { record(&task_harness, "nightly", minute(1)).await });
    tokio::task::yield_now().await;
    tx.rollback().await?;
    let recorded = second.join_next().await.transpose()?.transpose()?;
    ensure_eq!(recorded, Some(true), "what the second recorder got");
    Ok(())
}

async fn the_last_tick_is_the_latest_whatever_the_order(harness: H) -> CaseResult {
    for number in [2, 3, 1] {
        record(&harness, "nightly", minute(number)).await?;
    }
    record(&harness, "hourly", minute(9)).await?;
    ensure_eq!(last(&harness, "nightly").await?, Some(minute(3)), "the last tick");
    Ok(())
}

async fn the_last_tick_survives_pruning(harness: H) -> CaseResult {
    for (schedule, number) in [("nightly", 1), ("nightly", 2), ("nightly", 3), ("hourly", 1)] {
        record(&harness, schedule, minute(number)).await?;
    }
    ensure_eq!(prune(&harness, Timestamp::MAX, 100).await?, 2, "ticks that were forgotten");
    ensure_eq!(last(&harness, "nightly").await?, Some(minute(3)), "the last tick of one schedule");
    ensure_eq!(last(&harness, "hourly").await?, Some(minute(1)), "the only tick of another schedule");
    ensure_eq!(prune(&harness, Timestamp::MAX, 100).await?, 0, "ticks that were left to forget");
    Ok(())
}

async fn prune_forgets_at_most_its_limit_and_only_old_ticks(harness: H) -> CaseResult {
    for number in 0..10 {
        record(&harness, "nightly", minute(number)).await?;
    }
    let mut sizes = Vec::new();
    for _ in 0..4 {
        sizes.push(prune(&harness, minute(5), 2).await?);
    }
    ensure_eq!(sizes, [2, 2, 1, 0], "ticks of each call");
    ensure!(!record(&harness, "nightly", minute(5)).await?, "a tick that is not old should still be known");
    ensure_eq!(last(&harness, "nightly").await?, Some(minute(9)), "the last tick");
    Ok(())
}
