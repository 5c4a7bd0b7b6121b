//! Port traits, value types and errors of Dolmen.
//!
//! A *port* is a trait that a module needs and an adapter implements. Modules and adapters depend on this crate and never
//! on each other. It knows no runtime, no SQL driver, no web framework and does no I/O.
//!
//! | port | what for | fake (`dolmen-testkit`) | adapters |
//! |---|---|---|---|
//! | [`Database`] ([`DatabaseDriver`]) | scoped transactions, migrations | `MemoryDatabase` | `dolmen-sql` |
//! | [`JobQueue`] | durable jobs with leases | `MemoryJobQueue` | `dolmen-sql` |
//! | [`ScheduleStore`] | ticks published once | `MemoryScheduleStore` | `dolmen-sql` |
//! | [`Inbox`] | requests and messages handled once | `MemoryInbox` | `dolmen-sql` |
//! | [`SessionStore`] | sessions that every instance knows | `MemorySessionStore` | `dolmen-sql` |
//! | [`AuditLog`] | who did what | `MemoryAuditLog` | `dolmen-sql` |
//! | [`Authenticator`] | credentials to principal | `MemoryAuthenticator` | `dolmen` (sessions) |
//! | [`ObjectStore`], [`LinkVerifier`] | bytes under a key, signed links | `MemoryObjectStore` | `dolmen-directory` |
//! | [`Mailer`] | one message to one person | `MemoryMailer` | `dolmen-directory` |
//! | [`MetricsRecorder`] ([`Metrics`]) | numbers | `RecordingMetrics` | [`NoMetrics`] |
//! | [`HealthCheck`] | is it well | `FixedHealth` | `dolmen-sql` |
//! | [`Clock`] | the time | `ManualClock` | [`SystemClock`] |
//! | [`IdGenerator`] | ids | `SequentialIds` | [`UuidV7Ids`] |
//!
//! # Examples
//! A use case that stores and enqueues in one transaction, whatever the database:
//! ```
//! use dolmen_ports::{Database, JobQueue, NewJob, PortResult, TenantId};
//! async fn place_order(database: &Database, queue: &dyn JobQueue, tenant: TenantId, job: NewJob) -> PortResult<()> {
//!     database.tenant(tenant).write(async |tx| {
//!         queue.enqueue(tx, vec![job.clone()]).await?;
//!         Ok(())
//!     }).await
//! }
//! ```

mod audit;
mod auth;
pub mod database;
mod error;
mod events;
mod health;
mod id;
mod inbox;
pub mod jobs;
mod mail;
mod metrics;
mod module;
mod objects;
mod schedules;
mod secret;
mod stores;
mod tenant;
mod time;

pub use audit::{Actor, AuditEntry, AuditLog};
pub use auth::{Authenticator, Credentials, Principal, Session, SessionStore, TokenHash, UserId};
pub use bytes::Bytes;
pub use database::{
    ClientPosition, Database, DatabaseDriver, Dialect, Migration, MigrationMarkers, MigrationReport,
    MigrationSet, ParsePositionError, Position, ReadFrom, ReadTx, ScopedDatabase, TxDriver, TxFn, TxFnOnce,
    TxOptions, UnknownMarker, WriteTx,
};
pub use error::{BoxError, ErrorKind, PortError, PortResult, Retryable, error_chain};
pub use events::{Event, EventEnvelope};
pub use health::{HealthCheck, HealthReport, HealthState};
pub use id::{IdGenerator, ParseIdError, UuidV7Ids, parse_id};
pub use inbox::{Inbox, InboxKey, InboxState};
pub use jobs::{
    ClaimId, ClaimRequest, ClaimedJob, Due, Enqueued, Heartbeat, Job, JobFailure, JobFilter, JobId, JobQueue,
    JobRecord, JobState, KindStats, KnownKind, Lease, NewJob, NextStep, QueueName, Rescued, Unique, WorkerId,
};
pub use mail::{Email, MailAddress, Mailer, ParseMailAddressError, check_email};
pub use metrics::{Metric, MetricKind, Metrics, MetricsRecorder, NoMetrics};
pub use module::ModuleName;
pub use objects::{
    LinkVerifier, ListRequest, Object, ObjectKey, ObjectMeta, ObjectStore, ObjectVersion, PutMode,
    PutOptions, check_link_validity, check_list_request, check_put_options,
};
pub use schedules::ScheduleStore;
pub use secret::Secret;
#[doc(hidden)]
pub use serde;
pub use stores::Stores;
pub use tenant::{Scope, TenantId};
pub use time::{Clock, ParseTimestampError, SystemClock, Timestamp};
pub use uuid::Uuid;
