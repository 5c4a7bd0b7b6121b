//! Tells of schedules whose ticks nobody publishes. Workers watch, because a scheduler that is not there cannot.

use std::collections::BTreeSet;
use std::time::Duration;

use dolmen_ports::{Metric, MetricKind, Metrics};
use tokio::time::{Instant, sleep_until};

use super::overview::{ScheduleStatus, Schedules};

const LOOK_EVERY: Duration = Duration::from_mins(5);
/// A tick that waits for this long is told of. A scheduler that starts anew takes seconds.
const LATE_MS: u64 = 300_000;

/// Schedules that wait for a scheduler, as this worker sees them.
static OVERDUE: Metric = Metric {
    name: "dolmen_schedules_overdue",
    help: "Schedules with a tick that nobody has published for five minutes, or that no scheduler has seen",
    unit: "",
    labels: &[],
    kind: MetricKind::Gauge,
};

/// Looks every five minutes, for ever. The first look is after five minutes, so that a scheduler that starts together with
/// this process has its time.
pub(crate) async fn watch(schedules: Schedules, metrics: Metrics) {
    if schedules.is_empty() {
        return;
    }
    let mut told = BTreeSet::new();
    let mut next = Instant::now() + LOOK_EVERY;
    loop {
        sleep_until(next).await;
        next = Instant::now() + LOOK_EVERY;
        // A database that does not answer is told of by others; this one looks again in five minutes.
        if let Ok(statuses) = schedules.list().await {
            report(&statuses, &metrics, &mut told);
        }
    }
}

fn report(statuses: &[ScheduleStatus], metrics: &Metrics, told: &mut BTreeSet<String>) {
    let overdue = statuses.iter().filter(|status| !status.seen || status.late_ms >= LATE_MS);
    let overdue: BTreeSet<String> = overdue.map(|status| status.schedule.name.clone()).collect();
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    metrics.set(&OVERDUE, &[], overdue.len() as f64);
    if overdue == *told {
        return;
    }
    if !overdue.is_empty() {
        tracing::error!(
            schedules = ?overdue,
            "schedule/overdue: no scheduler publishes the ticks of these schedules; run a process with the role scheduler"
        );
    }
    *told = overdue;
}
