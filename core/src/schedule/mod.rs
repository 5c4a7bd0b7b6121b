//! Schedules: jobs that are enqueued at times of the calendar.

mod calendar;
#[cfg(feature = "cli")]
mod command;
mod cron;
mod due;
mod expression;
mod overdue;
mod overview;
mod scheduler;
mod ticker;
mod zone;

#[cfg(feature = "cli")]
pub use command::SchedulesCommand;
pub use cron::{CatchUp, Cron, CronError};
pub(crate) use overdue::watch;
pub use overview::{ScheduleStatus, Schedules, UpcomingTick, UpcomingTicks};
pub use scheduler::Scheduler;
pub use ticker::{DueTicks, PublishedTick};
