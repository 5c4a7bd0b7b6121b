//! Modules, roles, jobs, events and schedules in one program.
//!
//! This is the crate that teams add. It runs modules on the ports that it re-exports, and knows no database driver and no
//! web framework: those are adapters (`dolmen-sql`, `dolmen-poem`, `dolmen-directory`).
//!
//! # Examples
//! A job, from its definition to its handler:
//! ```
//! use dolmen::{Job, JobContext, JobError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Greet { name: String }
//!
//! impl Job for Greet {
//!     const KIND: &'static str = "greetings.greet";
//! }
//!
//! async fn greet(job: Greet, context: JobContext) -> Result<(), JobError> {
//!     println!("hello {}, attempt {}", job.name, context.attempt());
//!     Ok(())
//! }
//! ```

mod app;
mod app_ports;
mod audit;
mod auth;
mod backoff;
#[cfg(feature = "cli")]
mod command;
pub mod config;
mod configure;
mod events;
mod inbox;
mod jobs;
mod module;
mod operations;
mod outage;
mod registrar;
mod registry;
mod role;
mod routes;
mod runner;
mod schedule;
mod telemetry;

pub use app::{
    App, AppBuilder, AppSettings, BuildError, BuildInfo, OsSignals, Phase, RunError, Signals, Violation,
};
pub use app_ports::AppPorts;
pub use audit::AuditTrail;
pub use auth::{OpenedSession, OsRandomness, Randomness, SessionAuthenticator, Sessions};
#[cfg(feature = "cli")]
pub use command::AppCommand;
pub use config::Environment;
pub use configure::configure;
pub use dolmen_ports as ports;
pub use dolmen_ports::{
    Actor, AuditEntry, AuditLog, Authenticator, BoxError, Bytes, ClientPosition, Clock, Credentials,
    Database, Due, Email, Enqueued, ErrorKind, Event, EventEnvelope, HealthCheck, HealthReport, HealthState,
    IdGenerator, Inbox, InboxKey, InboxState, Job, JobFilter, JobId, JobQueue, JobRecord, JobState,
    KindStats, LinkVerifier, ListRequest, MailAddress, Mailer, Metric, MetricKind, Metrics, MigrationSet,
    ModuleName, ObjectKey, ObjectStore, PortError, PortResult, Position, Principal, PutMode, PutOptions,
    QueueName, ReadFrom, ReadTx, Retryable, ScheduleStore, Scope, Secret, Session, SessionStore, Stores,
    SystemClock, TenantId, Timestamp, TokenHash, Unique, UserId, Uuid, UuidV7Ids, WriteTx, define_id,
    error_chain, migrations,
};
pub use events::{EventHandler, EventPublisher};
pub use inbox::{IdempotencyMismatch, fingerprint, idempotent};
#[cfg(feature = "cli")]
pub use jobs::{ChosenJobs, JobsCommand, JobsFilter};
pub use jobs::{
    DueJobs, JobAdmin, JobContext, JobError, JobHandler, JobOptions, JobOutcome, JobRun, JobVerdict, Jobs,
    Worker, WorkerSettings,
};
pub use module::{InlineModule, Module};
pub use operations::{
    CheckReport, InfoReport, JobReport, JobsReport, LivenessReport, ModuleReport, Operations,
    ReadinessReport, RouteReport, ScheduleReport, SchemaState, StartupReport, SubscriptionReport,
    operations_document,
};
pub use registrar::Registrar;
pub use role::{ParseRolesError, Role, Roles};
pub use routes::{Access, ModuleRoutes, Route, RouteSet};
pub use runner::{RoleRunner, RunContext, Shutdown};
#[cfg(feature = "cli")]
pub use schedule::SchedulesCommand;
pub use schedule::{
    CatchUp, Cron, CronError, DueTicks, PublishedTick, ScheduleStatus, Scheduler, Schedules, UpcomingTick,
    UpcomingTicks,
};
pub use telemetry::{LogFilter, LogFormat, LogSettings, init_logging};
