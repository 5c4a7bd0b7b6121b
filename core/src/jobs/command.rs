//! The command `jobs` for a program of one's own: its words, and what it prints.

use clap::{Args, Subcommand};
use dolmen_ports::{
    Actor, ErrorKind, JobFilter, JobId, JobRecord, JobState, PortError, PortResult, QueueName, TenantId, Uuid,
};

use super::JobAdmin;

/// Looks after jobs: a subcommand for the command line of a program.
///
/// # Examples
/// ```
/// use clap::Parser;
/// #[derive(Parser)]
/// enum Command {
///     /// Look after jobs
///     #[command(subcommand)]
///     Jobs(dolmen::JobsCommand),
/// }
/// # assert!(Command::try_parse_from(["app", "jobs", "list", "--state", "dead"]).is_ok());
/// # assert!(Command::try_parse_from(["app", "jobs", "retry"]).is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
#[non_exhaustive]
pub enum JobsCommand {
    /// Print jobs, newest first, a line each
    List {
        /// Only in this state: ready, running, done, dead or discarded
        #[arg(long, value_parser = state)]
        state: Option<JobState>,
        /// What else they have in common
        #[command(flatten)]
        filter: JobsFilter,
        /// How many at most
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Only older ones than this: the last one of the page before
        #[arg(long, value_parser = job)]
        before: Option<JobId>,
    },
    /// Print all that is known of a job, as JSON
    Show {
        /// The job
        #[arg(value_parser = job)]
        job: JobId,
    },
    /// Say why a job is where it is
    Why {
        /// The job
        #[arg(value_parser = job)]
        job: JobId,
    },
    /// Make dead letters ready, with all their attempts
    Retry(ChosenJobs),
    /// Give up dead letters; a job that is named may also be ready or running
    Discard(ChosenJobs),
    /// Stop taking jobs from a queue; what runs may end
    Pause {
        /// The queue
        #[arg(value_parser = QueueName::parse)]
        queue: QueueName,
    },
    /// Take jobs from a paused queue again
    Resume {
        /// The queue
        #[arg(value_parser = QueueName::parse)]
        queue: QueueName,
    },
}

/// What jobs have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[non_exhaustive]
pub struct JobsFilter {
    /// Only of this kind, such as `notifications.send_mail`
    #[arg(long)]
    kind: Option<String>,
    /// Only in this queue
    #[arg(long, value_parser = QueueName::parse)]
    queue: Option<QueueName>,
    /// Only of this tenant
    #[arg(long, value_parser = tenant)]
    tenant: Option<TenantId>,
    /// Only those with this text in the reason of their last failure
    #[arg(long)]
    reason: Option<String>,
}

/// Jobs that are named, or dead letters that have something in common.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[non_exhaustive]
pub struct ChosenJobs {
    /// The jobs
    #[arg(value_parser = job, required_unless_present = "all")]
    jobs: Vec<JobId>,
    /// All dead letters, or those that the other options choose
    #[arg(long, conflicts_with = "jobs")]
    all: bool,
    /// What they have in common
    #[command(flatten)]
    filter: JobsFilter,
}

impl JobsFilter {
    fn into_filter(self) -> JobFilter {
        let mut filter = JobFilter::all();
        (filter.kind, filter.queue, filter.tenant, filter.reason) =
            (self.kind, self.queue, self.tenant, self.reason);
        filter
    }
}

impl JobsCommand {
    /// Does it, as the program itself, and returns what to print.
    ///
    /// # Errors
    /// `NotFound` for an unknown job, `Conflict` for one in a state that does not allow it; otherwise the database's.
    pub async fn run(self, admin: &JobAdmin) -> PortResult<String> {
        match self {
            Self::List { state, filter, limit, before } => {
                let mut filter = filter.into_filter();
                filter.states = state.into_iter().collect();
                (filter.limit, filter.before) = (limit.max(1), before);
                let lines: Vec<String> = admin.list(&filter).await?.iter().map(line).collect();
                let paused =
                    admin.paused().await?.iter().map(|queue| format!("queue {queue} is paused")).collect();
                Ok([lines, paused].concat().join("\n"))
            }
            Self::Show { job } => serde_json::to_string_pretty(&admin.find(job).await?)
                .map_err(|error| PortError::new(ErrorKind::Internal, "jobs", "show").with_source(error)),
            Self::Why { job } => admin.why(job).await,
            Self::Retry(chosen) => {
                let mut count = 0;
                for job in &chosen.jobs {
                    admin.retry(Actor::System, *job).await?;
                    count += 1;
                }
                if chosen.all {
                    count += admin.retry_all(Actor::System, &chosen.filter.into_filter()).await?;
                }
                Ok(format!("{count} ready again"))
            }
            Self::Discard(chosen) => {
                let mut count = 0;
                for job in &chosen.jobs {
                    admin.discard(Actor::System, *job).await?;
                    count += 1;
                }
                if chosen.all {
                    count += admin.discard_all(Actor::System, &chosen.filter.into_filter()).await?;
                }
                Ok(format!("{count} given up"))
            }
            Self::Pause { queue } => {
                admin.pause(Actor::System, &queue).await.map(|()| format!("queue {queue} is paused"))
            }
            Self::Resume { queue } => {
                admin.resume(Actor::System, &queue).await.map(|()| format!("queue {queue} goes on"))
            }
        }
    }
}

/// A job in one line: id, state, kind, queue, attempts, when it is or was due, why it failed last.
fn line(job: &JobRecord) -> String {
    let reason = job.last_error.as_deref().and_then(|reason| reason.lines().next()).unwrap_or_default();
    let line = format!(
        "{} {:<9} {} {} {}/{} {} {reason}",
        job.id,
        job.state.name(),
        job.kind,
        job.queue,
        job.attempt,
        job.max_attempts,
        job.due_at
    );
    line.trim_end().to_owned()
}

fn state(text: &str) -> Result<JobState, String> {
    JobState::parse(text).ok_or_else(|| "must be ready, running, done, dead or discarded".to_owned())
}

fn job(text: &str) -> Result<JobId, String> {
    Uuid::parse_str(text)
        .map(JobId::new)
        .map_err(|_| "must be the id of a job, as `jobs list` prints it".to_owned())
}

fn tenant(text: &str) -> Result<TenantId, String> {
    Uuid::parse_str(text).map(TenantId::new).map_err(|_| "must be the id of a tenant".to_owned())
}
