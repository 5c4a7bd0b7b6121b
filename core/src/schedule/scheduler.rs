//! The scheduler: sleeps until the next tick, and publishes it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{BoxError, PortResult, WriteTx};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::ticker::Ticker;
use crate::app_ports::AppPorts;
use crate::backoff::seed_of;
use crate::outage::Outage;
use crate::role::Role;
use crate::runner::{RoleRunner, RunContext};

/// The longest sleep: the clock is read at least this often, because it may be set while we sleep.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);
/// The shortest sleep, so that a clock that runs behind the machine's timer cannot make the loop spin.
const SHORTEST_SLEEP: Duration = Duration::from_millis(1);
/// How long the rows of ticks are kept: as long as a clock may be wrong without a tick being published again.
const KEPT_FOR: Duration = Duration::from_hours(30 * 24);
const PRUNE_EVERY: Duration = Duration::from_hours(1);
const PRUNE_AT_ONCE: u32 = 1_000;

/// Publishes the ticks of schedules in the role `scheduler`: one job per tick.
///
/// # Contract
/// 1. Each tick becomes at most one job, however many schedulers run and however often they restart; so nobody elects a
///    leader, and a second scheduler by accident is harmless.
/// 2. Ticks that came while no scheduler ran follow the schedule's [`CatchUp`](crate::CatchUp). A schedule that was never
///    seen begins when it is first seen.
/// 3. A clock that jumps neither repeats a tick nor floods the queue: what it jumped over follows the catch-up policy,
///    and after a jump back nothing happens until the next tick that nobody published.
#[derive(Debug, Default)]
pub struct Scheduler(());

impl Scheduler {
    /// A scheduler.
    pub fn new() -> Self {
        Self(())
    }
}

#[async_trait]
impl RoleRunner for Scheduler {
    fn role(&self) -> Option<Role> {
        Some(Role::Scheduler)
    }

    fn name(&self) -> &'static str {
        "scheduler"
    }

    async fn run(self: Box<Self>, context: RunContext) -> Result<(), BoxError> {
        let ports = context.ports().clone();
        let outage = Arc::new(Outage::new("memory of schedules", seed_of(ports.ids().next())));
        let ticker = Ticker::new(ports.clone(), Arc::clone(&context.schedules));
        let publishing = publish_ticks(ticker, &context, &outage);
        // A task of its own: a database may refuse a task that begins a write within another one. It ends with this future.
        let mut pruning = JoinSet::new();
        let pruning_outage = Arc::clone(&outage);
        pruning.spawn(async move { prune(&ports, &pruning_outage).await });
        // Cut short anywhere it rolls back, and the next process publishes the tick.
        tokio::select! {
            () = context.shutdown().draining() => Ok(()),
            () = publishing => Ok(()),
            ended = pruning.join_next() => Ok(ended.transpose().map(drop)?),
        }
    }
}

async fn publish_ticks(mut ticker: Ticker, context: &RunContext, outage: &Outage) {
    let clock = context.ports().clock();
    loop {
        let pause = match ticker.tick(clock.now()).await {
            Ok(_) => {
                outage.worked("publish ticks");
                context.ready();
                let now = clock.now();
                ticker.next_tick(now).map_or(LONGEST_SLEEP, |tick| tick.since(now))
            }
            Err(error) => outage.failed("publish ticks", &error),
        };
        sleep(pause.clamp(SHORTEST_SLEEP, LONGEST_SLEEP)).await;
    }
}

async fn prune(ports: &AppPorts, outage: &Outage) {
    let mut next = Instant::now() + PRUNE_EVERY;
    loop {
        tokio::time::sleep_until(next).await;
        next = Instant::now() + PRUNE_EVERY;
        match prune_once(ports).await {
            Ok(removed) => {
                outage.worked("prune");
                if removed == u64::from(PRUNE_AT_ONCE) {
                    next = Instant::now() + Duration::from_secs(1);
                }
            }
            Err(error) => next = Instant::now() + outage.failed("prune", &error),
        }
    }
}

async fn prune_once(ports: &AppPorts) -> PortResult<u64> {
    let before = ports.clock().now().minus(KEPT_FOR);
    let schedules = ports.schedules();
    ports
        .database()
        .system()
        .write(async |tx: &mut WriteTx| schedules.prune(tx, before, PRUNE_AT_ONCE).await)
        .await
}
