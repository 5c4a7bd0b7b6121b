//! What people see of schedules: when each came last, and when it comes next.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{Clock, Database, ErrorKind, PortError, PortResult, ReadTx, ScheduleStore, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use super::calendar::Calendar;
use super::cron::CatchUp;
use super::ticker::is_tick;
use crate::app_ports::AppPorts;
use crate::config::suggestion::closest;
use crate::operations::ScheduleReport;
use crate::registrar::ScheduleRegistration;

/// Looks at the schedules of an application; cheap to clone. Made by [`App::schedules`](crate::App::schedules).
#[derive(Debug, Clone)]
pub struct Schedules {
    database: Database,
    store: Arc<dyn ScheduleStore>,
    clock: Arc<dyn Clock>,
    all: Arc<Vec<ScheduleRegistration>>,
}

/// A schedule, when it came last and when it comes next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct ScheduleStatus {
    /// What its module registered.
    #[serde(flatten)]
    pub schedule: ScheduleReport,
    /// Whether a scheduler has ever seen it. It begins with that.
    pub seen: bool,
    /// The time of the latest tick that became a job.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_tick: Option<Timestamp>,
    /// The time of the next tick.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_tick: Option<Timestamp>,
    /// For how long a tick waits that should have become a job, in milliseconds: far more than a second says that no
    /// scheduler runs. Always 0 where missed ticks are skipped, for then none waits.
    pub late_ms: u64,
}

/// The next ticks of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpcomingTicks {
    /// What its module registered.
    pub schedule: ScheduleReport,
    /// The ticks, in their order.
    pub ticks: Vec<UpcomingTick>,
}

/// One tick that will come.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UpcomingTick {
    /// When it comes.
    pub at: Timestamp,
    /// What a clock in the zone of the schedule shows then, with its offset.
    pub local: String,
}

impl Schedules {
    pub(crate) fn new(ports: &AppPorts, schedules: Arc<Vec<ScheduleRegistration>>) -> Self {
        Self {
            database: ports.database().clone(),
            store: Arc::clone(ports.schedules()),
            clock: Arc::clone(ports.clock()),
            all: schedules,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All schedules, in the order in which they were registered.
    ///
    /// # Errors
    /// The database's; `InvalidInput` for an expression that [`App::verify`](crate::App::verify) refuses.
    pub async fn list(&self) -> PortResult<Vec<ScheduleStatus>> {
        let system = self.database.system();
        let recorded = system.read(async |tx: &mut ReadTx| -> PortResult<Vec<Option<Timestamp>>> {
            let mut recorded = Vec::new();
            for schedule in self.all.iter() {
                recorded.push(self.store.last_tick(tx, &schedule.name).await?);
            }
            Ok(recorded)
        });
        let (recorded, now) = (recorded.await?, self.clock.now());
        self.all.iter().zip(recorded).map(|(schedule, last)| status(schedule, last, now)).collect()
    }

    /// The next `count` ticks of one schedule, or of each.
    ///
    /// # Errors
    /// `NotFound` for a name that no schedule has; `InvalidInput` for an expression that
    /// [`App::verify`](crate::App::verify) refuses.
    pub fn upcoming(&self, name: Option<&str>, count: usize) -> PortResult<Vec<UpcomingTicks>> {
        let now = self.clock.now();
        let chosen = |schedule: &&ScheduleRegistration| name.is_none_or(|name| schedule.name == name);
        let found: Vec<&ScheduleRegistration> = self.all.iter().filter(chosen).collect();
        match name {
            Some(name) if found.is_empty() => Err(self.unknown(name)),
            _ => found.into_iter().map(|schedule| upcoming(schedule, now, count)).collect(),
        }
    }

    fn unknown(&self, name: &str) -> PortError {
        let mut names = self.all.iter().map(|schedule| schedule.name.as_str());
        let fix = match closest(name, names.clone()) {
            Some(meant) => format!("did you mean {meant}?"),
            None if self.all.is_empty() => "there are none".to_owned(),
            None => format!("there are: {}", names.by_ref().collect::<Vec<_>>().join(", ")),
        };
        PortError::new(ErrorKind::NotFound, "schedules", "find")
            .with_detail(format!("no schedule {name}; {fix}"))
    }
}

fn status(
    schedule: &ScheduleRegistration,
    recorded: Option<Timestamp>,
    now: Timestamp,
) -> PortResult<ScheduleStatus> {
    let calendar = calendar(schedule)?;
    let waits = recorded.filter(|_| !forgets(schedule.cron.policy()));
    let waiting = waits.and_then(|last| calendar.next_after(last)).map(|tick| now.since(tick));
    let late = waiting.unwrap_or(Duration::ZERO);
    Ok(ScheduleStatus {
        schedule: ScheduleReport::of(schedule),
        seen: recorded.is_some(),
        last_tick: recorded.filter(|recorded| is_tick(*recorded)),
        next_tick: calendar.next_after(now),
        late_ms: u64::try_from(late.as_millis()).unwrap_or(u64::MAX),
    })
}

/// Whether a tick that was missed stays so.
fn forgets(policy: CatchUp) -> bool {
    matches!(policy, CatchUp::Skip | CatchUp::Backfill(0))
}

fn upcoming(schedule: &ScheduleRegistration, now: Timestamp, count: usize) -> PortResult<UpcomingTicks> {
    let calendar = calendar(schedule)?;
    let ticks = std::iter::successors(calendar.next_after(now), |tick| calendar.next_after(*tick));
    let ticks = ticks.take(count).map(|at| UpcomingTick { at, local: calendar.local(at) });
    Ok(UpcomingTicks { schedule: ScheduleReport::of(schedule), ticks: ticks.collect() })
}

fn calendar(schedule: &ScheduleRegistration) -> PortResult<Calendar> {
    schedule.cron.calendar().map_err(|error| {
        PortError::new(ErrorKind::InvalidInput, "schedules", "read an expression")
            .with_detail(format!("{}: {error}", schedule.name))
    })
}
