//! Schedules: jobs that are enqueued at times of the calendar.

mod calendar;
mod cron;
mod due;
mod scheduler;
mod ticker;

pub use cron::{CatchUp, Cron, CronError};
pub use scheduler::Scheduler;
pub use ticker::{DueTicks, PublishedTick};
