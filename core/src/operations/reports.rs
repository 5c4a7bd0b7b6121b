//! What operations answer. Any web adapter can serve these as JSON.

use dolmen_ports::{HealthState, KindStats, QueueName, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::Phase;
use crate::config::Environment;
use crate::routes::{Access, Route};

/// Whether the process is alive: its runtime makes progress.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct LivenessReport {
    /// Whether the last heartbeat is recent enough.
    pub alive: bool,
    /// How long ago the runtime last ran the heartbeat, in milliseconds.
    pub last_heartbeat_ms: u64,
}

/// Whether the process may get work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct ReadinessReport {
    /// Whether it may.
    pub ready: bool,
    /// Where the process is in its life.
    pub phase: Phase,
    /// Each check and what it found.
    pub checks: Vec<CheckReport>,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct CheckReport {
    /// What was checked.
    pub name: String,
    /// How well it is.
    pub state: HealthState,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// How long the check took, in milliseconds.
    pub took_ms: u64,
}

/// Whether the process has started: it was ready once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct StartupReport {
    /// Whether it has.
    pub started: bool,
    /// Where the process is in its life.
    pub phase: Phase,
}

/// Which program this is and how it runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct InfoReport {
    /// The program's name.
    pub name: String,
    /// The program's version.
    pub version: String,
    /// The commit that it was built from, when the build knew it.
    pub git_sha: Option<String>,
    /// The environment.
    pub environment: Environment,
    /// The roles that this process runs.
    pub roles: Vec<String>,
    /// Where the process is in its life.
    pub phase: Phase,
    /// The backend of the database, such as `sqlite`.
    pub database: String,
    /// The state of the schema.
    pub schema: SchemaState,
    /// When the process began to run.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub started_at: Option<Timestamp>,
}

/// The state of the schema, as last seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SchemaState {
    /// Nobody has looked yet.
    Unknown,
    /// Every migration is applied.
    UpToDate,
    /// These migrations are missing.
    Pending {
        /// As `module/0001_name`.
        migrations: Vec<String>,
        /// Which version each module has and which one it needs, and what to do, in words.
        reason: String,
    },
    /// The schema is not one that this version can run on: a newer one that breaks it, or one with another history.
    Incompatible {
        /// Why, and what to do, in words.
        reason: String,
    },
    /// The database could not be asked.
    Unavailable {
        /// Why, in words.
        reason: String,
    },
}

/// A module and what it registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct ModuleReport {
    /// Its name.
    pub name: String,
    /// The modules that it requires.
    pub requires: Vec<String>,
    /// The tables that its migrations create.
    pub tables: Vec<String>,
    /// The kinds of job that it handles.
    pub jobs: Vec<JobReport>,
    /// The events that it publishes.
    pub events: Vec<String>,
    /// The events that it reacts to.
    pub subscriptions: Vec<SubscriptionReport>,
    /// Its schedules.
    pub schedules: Vec<ScheduleReport>,
    /// Its routes.
    pub routes: Vec<RouteReport>,
}

/// A kind of job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct JobReport {
    /// The kind.
    pub kind: String,
    /// The queue that it waits in.
    #[schema(value_type = String)]
    pub queue: QueueName,
    /// How often it is tried.
    pub max_attempts: u32,
    /// How long an attempt may take, in milliseconds.
    pub timeout_ms: u64,
}

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct SubscriptionReport {
    /// The event.
    pub event: String,
    /// The kind of job that it becomes.
    pub kind: String,
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct ScheduleReport {
    /// Its name.
    pub name: String,
    /// The cron expression.
    pub cron: String,
    /// The time zone.
    pub zone: String,
    /// What happens to missed ticks.
    pub catch_up: String,
    /// The kind of job that each tick becomes.
    pub kind: String,
}

/// A route and who may call it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct RouteReport {
    /// Method and path.
    #[serde(flatten)]
    pub route: Route,
    /// Who may call it.
    pub access: Access,
}

/// The queue in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct JobsReport {
    /// Jobs that wait and are due, in all queues: what autoscaling looks at.
    pub depth: u64,
    /// How long the oldest due job has waited, in milliseconds.
    pub oldest_ready_ms: u64,
    /// Dead letters.
    pub dead: u64,
    /// The numbers of each queue and kind.
    pub kinds: Vec<KindStats>,
    /// Kinds in the queue that nothing in this program handles.
    pub unknown_kinds: Vec<String>,
}
