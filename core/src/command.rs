//! The commands that the framework brings along, for a program of one's own.

use clap::Subcommand;
use dolmen_ports::PortResult;

use crate::app::App;
use crate::audit::AuditTrail;
use crate::jobs::JobsCommand;
use crate::schedule::SchedulesCommand;

/// Looks after what the application does on its own: all commands that the framework has, next to those of the program.
///
/// # Examples
/// ```
/// use clap::Parser;
/// use dolmen::{App, AppCommand, AuditTrail, PortResult};
///
/// #[derive(Parser)]
/// enum Command {
///     /// Run until SIGTERM or Ctrl-C
///     Serve,
///     #[command(flatten)]
///     App(AppCommand),
/// }
///
/// async fn run(command: AppCommand, app: &App, audit: AuditTrail) -> PortResult<()> {
///     println!("{}", command.run(app, audit).await?);
///     Ok(())
/// }
/// # assert!(Command::try_parse_from(["app", "serve"]).is_ok());
/// # assert!(Command::try_parse_from(["app", "jobs", "list"]).is_ok());
/// # assert!(Command::try_parse_from(["app", "schedules", "next"]).is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum AppCommand {
    /// Look after jobs: list, show, why, retry, discard, pause, resume
    #[command(subcommand)]
    Jobs(JobsCommand),
    /// Look at schedules: list, next
    #[command(subcommand)]
    Schedules(SchedulesCommand),
}

impl AppCommand {
    /// Does it, as the program itself, and returns what to print; changes are recorded in `audit`.
    ///
    /// # Errors
    /// Those of [`JobsCommand::run`] and [`SchedulesCommand::run`].
    pub fn run(
        self,
        app: &App,
        audit: AuditTrail,
    ) -> impl Future<Output = PortResult<String>> + Send + use<> {
        let (jobs, schedules) = (app.job_admin(audit), app.schedules());
        // Boxed, so that the future of a program's `main` stays small.
        Box::pin(async move {
            match self {
                Self::Jobs(command) => command.run(&jobs).await,
                Self::Schedules(command) => command.run(&schedules).await,
            }
        })
    }
}
