//! Publishes the ticks that are due: one transaction each, with a row that only one of all schedulers can insert.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{ErrorKind, JobId, Metric, MetricKind, PortError, PortResult, ReadTx, Timestamp, WriteTx};

use tokio::sync::Mutex;

use super::calendar::Calendar;
use super::due::due;
use crate::app_ports::AppPorts;
use crate::registrar::ScheduleRegistration;

/// Ticks that this process published, by schedule.
static PUBLISHED: Metric = Metric {
    name: "dolmen_schedules_published",
    help: "Ticks of schedules that were published as jobs",
    unit: "",
    labels: &["schedule"],
    kind: MetricKind::Counter,
};

/// How long after its time a tick was published: the number that tells of a late or missing scheduler.
static LATENESS_SECONDS: Metric = Metric {
    name: "dolmen_schedules_lateness_seconds",
    help: "Time between a tick of a schedule and its publication",
    unit: "seconds",
    labels: &["schedule"],
    kind: MetricKind::Histogram(&[0.01, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 600.0, 3600.0]),
};

/// A tick that became a job.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PublishedTick {
    /// The schedule, `<module>.<name>`.
    pub schedule: String,
    /// The time of the tick.
    pub tick: Timestamp,
    /// The job that it became.
    pub job: JobId,
}

/// Publishes due ticks in the caller's task: the scheduler of tests and scripts. Cheap to clone; made by
/// [`App::due_ticks`](crate::App::due_ticks).
#[derive(Debug, Clone)]
pub struct DueTicks(Arc<Mutex<Ticker>>);

impl DueTicks {
    pub(crate) fn new(ports: AppPorts, schedules: Arc<Vec<ScheduleRegistration>>) -> Self {
        Self(Arc::new(Mutex::new(Ticker::new(ports, schedules))))
    }

    /// Publishes the ticks that are due by the application's clock, once each, and returns them.
    ///
    /// A schedule begins with the first call that sees it: call it once, then move the clock, then call it again.
    ///
    /// # Errors
    /// The first failure of database, queue or payload; the other schedules were served.
    pub async fn publish(&self) -> PortResult<Vec<PublishedTick>> {
        let mut ticker = self.0.lock().await;
        let now = ticker.ports.clock().now();
        ticker.tick(now).await
    }
}

/// The schedules of the program, and how far each was served by this process.
#[derive(Debug)]
pub(super) struct Ticker {
    ports: AppPorts,
    schedules: Arc<Vec<ScheduleRegistration>>,
    positions: Vec<Position>,
}

#[derive(Debug)]
struct Position {
    /// The schedule's place in the list.
    index: usize,
    calendar: Calendar,
    /// All ticks up to here are served; `None` until the store was asked.
    served_until: Option<Timestamp>,
}

impl Ticker {
    /// Reads each expression once. `App::verify` has reported those that cannot be read.
    pub(super) fn new(ports: AppPorts, schedules: Arc<Vec<ScheduleRegistration>>) -> Self {
        let positions = schedules
            .iter()
            .enumerate()
            .filter_map(|(index, schedule)| {
                let calendar = schedule.cron.calendar().ok()?;
                Some(Position { index, calendar, served_until: None })
            })
            .collect();
        Self { ports, schedules, positions }
    }

    /// Publishes what is due at `now`, by each schedule's catch-up policy.
    ///
    /// Idempotent: a tick is published once, whoever calls this how often. A schedule that was never seen begins now; one
    /// that was seen goes on from its latest tick. When the clock went back, nothing is due until it has caught up with
    /// the next tick that nobody published.
    ///
    /// # Errors
    /// The first failure of database, queue or payload; the other schedules were served, and the next call tries again.
    pub(super) async fn tick(&mut self, now: Timestamp) -> PortResult<Vec<PublishedTick>> {
        let Self { ports, schedules, positions } = self;
        let mut published = Vec::new();
        let mut failure = None;
        for position in positions {
            let Some(schedule) = schedules.get(position.index) else { continue };
            let result = serve(ports, schedule, position, now, &mut published).await;
            failure = failure.or(result.err());
        }
        failure.map_or(Ok(published), Err)
    }

    /// The time of the first tick after `now`, of all schedules.
    pub(super) fn next_tick(&self, now: Timestamp) -> Option<Timestamp> {
        self.positions.iter().filter_map(|position| position.calendar.next_after(now)).min()
    }
}

async fn serve(
    ports: &AppPorts,
    schedule: &ScheduleRegistration,
    position: &mut Position,
    now: Timestamp,
    published: &mut Vec<PublishedTick>,
) -> PortResult<()> {
    let from = match position.served_until {
        Some(until) => until,
        None => beginning(ports, &schedule.name, now).await?,
    };
    for tick in due(&position.calendar, schedule.cron.policy(), from, now) {
        if let Some(job) = publish(ports, schedule, tick).await? {
            ports.metrics().add(&PUBLISHED, &[&schedule.name], 1);
            ports.metrics().observe(&LATENESS_SECONDS, &[&schedule.name], now.since(tick).as_secs_f64());
            tracing::info!(schedule = schedule.name, %tick, %job, kind = schedule.kind, "published a tick");
            published.push(PublishedTick { schedule: schedule.name.clone(), tick, job });
        }
        position.served_until = Some(tick);
    }
    // Also after a tick of the future, which comes from a clock that was wrong: waiting for it could take forever.
    position.served_until = Some(now);
    Ok(())
}

/// Whether what is recorded of a schedule is a tick: ticks are whole seconds, and a beginning never is.
pub(super) fn is_tick(recorded: Timestamp) -> bool {
    recorded == Timestamp::from_unix_seconds(recorded.as_unix_seconds())
}

/// From where a schedule goes on: its latest tick. The first time that it is seen, that moment is recorded as its
/// beginning, so that a tick which the next process misses counts as missed.
async fn beginning(ports: &AppPorts, schedule: &str, now: Timestamp) -> PortResult<Timestamp> {
    let system = ports.database().system();
    let last = system.read(async |tx: &mut ReadTx| ports.schedules().last_tick(tx, schedule).await).await?;
    if last.is_none() {
        let begun = if is_tick(now) { now.plus(Duration::from_micros(1)) } else { now };
        system
            .write(async |tx: &mut WriteTx| ports.schedules().record_tick(tx, schedule, begun).await)
            .await?;
    }
    Ok(last.unwrap_or(now))
}

/// Publishes one tick, unless somebody else did.
async fn publish(
    ports: &AppPorts,
    schedule: &ScheduleRegistration,
    tick: Timestamp,
) -> PortResult<Option<JobId>> {
    let job = (schedule.job)(ports.ids().next(), tick)?;
    let (id, job) = (job.id, &job);
    let write = ports.database().system().write(async |tx: &mut WriteTx| -> PortResult<bool> {
        if !ports.schedules().record_tick(tx, &schedule.name, tick).await? {
            return Ok(false);
        }
        ports.queue().enqueue(tx, vec![job.clone()]).await?;
        Ok(true)
    });
    match write.await {
        Ok(true) => Ok(Some(id)),
        Ok(false) => Ok(None),
        Err(error) => Err(with_schedule(error, &schedule.name, tick)),
    }
}

fn with_schedule(error: PortError, schedule: &str, tick: Timestamp) -> PortError {
    let kind = match error.kind() {
        kind if kind.is_retryable() => kind,
        ErrorKind::InvalidInput => ErrorKind::InvalidInput,
        _ => ErrorKind::Internal,
    };
    PortError::new(kind, "schedules", "publish a tick")
        .with_detail(format!("schedule {schedule}, tick {tick}"))
        .with_source(error)
}
