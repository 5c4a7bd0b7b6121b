//! The command `schedules` for a program of one's own: its words, and what it prints.

use clap::Subcommand;
use dolmen_ports::{PortResult, Timestamp};

use super::overview::{ScheduleStatus, Schedules, UpcomingTicks};

/// Looks at schedules: a subcommand for the command line of a program.
///
/// # Examples
/// ```
/// use clap::Parser;
/// #[derive(Parser)]
/// enum Command {
///     /// Look at schedules
///     #[command(subcommand)]
///     Schedules(dolmen::SchedulesCommand),
/// }
/// # assert!(Command::try_parse_from(["app", "schedules", "list"]).is_ok());
/// # assert!(Command::try_parse_from(["app", "schedules", "next", "reports.nightly", "--count", "3"]).is_ok());
/// # assert!(Command::try_parse_from(["app", "schedules", "next", "--count", "0"]).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum SchedulesCommand {
    /// Print all schedules, a line each, with their last and next ticks
    List,
    /// Print the next ticks, in the zone of the schedule and in UTC
    Next {
        /// Only of this schedule, such as `reports.nightly`
        schedule: Option<String>,
        /// How many of each
        #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
    },
}

impl SchedulesCommand {
    /// Does it, and returns what to print.
    ///
    /// # Errors
    /// `NotFound` for a name that no schedule has; otherwise the database's.
    pub async fn run(self, schedules: &Schedules) -> PortResult<String> {
        match self {
            Self::List => {
                let lines: Vec<String> = schedules.list().await?.iter().map(line).collect();
                Ok(lines.join("\n"))
            }
            Self::Next { schedule, count } => {
                let upcoming = schedules.upcoming(schedule.as_deref(), count.into())?;
                Ok(upcoming.iter().map(paragraph).collect::<Vec<_>>().join("\n"))
            }
        }
    }
}

/// A schedule in one line: name, expression, zone, catch-up policy, job, last tick, next tick, what is wrong.
fn line(status: &ScheduleStatus) -> String {
    let schedule = &status.schedule;
    let last = match (status.last_tick, status.seen) {
        (Some(tick), _) => utc(tick),
        (None, true) => "none yet".to_owned(),
        (None, false) => "none: no scheduler has seen it".to_owned(),
    };
    let next = status.next_tick.map_or_else(|| "none".to_owned(), utc);
    let late = match status.late_ms / 1000 {
        0 => String::new(),
        seconds => format!("  late by {seconds} s"),
    };
    format!(
        "{}  {:?} {}  {}  {}  last {last}  next {next}{late}",
        schedule.name, schedule.cron, schedule.zone, schedule.catch_up, schedule.kind
    )
}

fn paragraph(upcoming: &UpcomingTicks) -> String {
    let schedule = &upcoming.schedule;
    let mut lines = vec![format!("{}  {:?} {}", schedule.name, schedule.cron, schedule.zone)];
    lines.extend(upcoming.ticks.iter().map(|tick| format!("  {}  {}", tick.local, utc(tick.at))));
    lines.join("\n")
}

/// Ticks are whole seconds.
fn utc(tick: Timestamp) -> String {
    tick.to_string().replace(".000000Z", "Z")
}
