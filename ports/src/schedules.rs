//! Which ticks of a schedule were published.

use std::fmt;

use async_trait::async_trait;

use crate::database::{ReadTx, WriteTx};
use crate::error::PortResult;
use crate::time::Timestamp;

/// Remembers the ticks of schedules, so that each is published once, however many schedulers run.
///
/// # Contract
/// - `SC-1` Of all calls of `record_tick` with one schedule and tick, in any process, exactly one whose transaction
///   commits returns `true`.
/// - `SC-2` A tick whose transaction rolled back was not recorded.
/// - `SC-3` `last_tick` is the latest recorded tick, whether or not older ones were pruned.
#[async_trait]
pub trait ScheduleStore: fmt::Debug + Send + Sync + 'static {
    /// Records a tick in the transaction that publishes its job; `false` when somebody else did.
    async fn record_tick(&self, tx: &mut WriteTx, schedule: &str, tick: Timestamp) -> PortResult<bool>;
    /// The latest tick that was recorded.
    async fn last_tick(&self, tx: &mut ReadTx, schedule: &str) -> PortResult<Option<Timestamp>>;
    /// Forgets ticks before `before` except the latest of each schedule, at most `limit`; returns how many.
    async fn prune(&self, tx: &mut WriteTx, before: Timestamp, limit: u32) -> PortResult<u64>;
}
