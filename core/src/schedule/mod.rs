//! Schedules: jobs that are enqueued at times of the calendar.

mod cron;

pub use cron::{CatchUp, Cron, CronError};
