//! What a person sees of the queue.

use serde::{Deserialize, Serialize};

use super::model::{JobId, JobState, QueueName};
use crate::tenant::{Scope, TenantId};
use crate::time::Timestamp;

/// A job as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[non_exhaustive]
pub struct JobRecord {
    /// Its id.
    #[schema(value_type = String)]
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Its queue.
    #[schema(value_type = String)]
    pub queue: QueueName,
    /// Where it is in its life.
    pub state: JobState,
    /// The tenant whose data it touches; none in the system scope.
    #[schema(value_type = Option<String>)]
    pub tenant: Option<TenantId>,
    /// Attempts spent.
    pub attempt: u32,
    /// Attempts it has.
    pub max_attempts: u32,
    /// How often its process died.
    pub crashes: u32,
    /// When it is or was due.
    #[schema(value_type = String, format = DateTime)]
    pub due_at: Timestamp,
    /// When it was enqueued.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Timestamp,
    /// When it was done, dead or discarded.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub finished_at: Option<Timestamp>,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
    /// Smaller numbers start first.
    pub priority: i16,
    /// What it is unique by.
    pub unique_key: Option<String>,
    /// What it is in line by.
    pub ordering_key: Option<String>,
    /// Its payload, JSON text.
    pub payload: String,
    /// The version of its payload.
    pub version: u32,
}

impl JobRecord {
    /// A fresh record; the other fields are public. For adapters.
    pub fn new(id: JobId, kind: String, payload: String, scope: Scope, created_at: Timestamp) -> Self {
        Self {
            id,
            kind,
            queue: QueueName::DEFAULT,
            state: JobState::Ready,
            tenant: scope.tenant(),
            attempt: 0,
            max_attempts: 1,
            crashes: 0,
            due_at: created_at,
            created_at,
            finished_at: None,
            last_error: None,
            priority: 0,
            unique_key: None,
            ordering_key: None,
            payload,
            version: 1,
        }
    }
}

/// Which jobs to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JobFilter {
    /// Only these states; empty means all.
    pub states: Vec<JobState>,
    /// Only this kind.
    pub kind: Option<String>,
    /// Only this queue.
    pub queue: Option<QueueName>,
    /// Only of this tenant.
    pub tenant: Option<TenantId>,
    /// Only jobs whose last failure has this text in its reason, as it is written.
    pub reason: Option<String>,
    /// Only jobs of this scope with this ordering key.
    pub line: Option<(Scope, String)>,
    /// Only jobs enqueued before this one: the last id of the page before.
    pub before: Option<JobId>,
    /// How many at most; 0 means 50.
    pub limit: u32,
}

impl JobFilter {
    /// All jobs.
    pub fn all() -> Self {
        Self::default()
    }

    /// Jobs in one state.
    pub fn state(state: JobState) -> Self {
        Self { states: vec![state], ..Self::default() }
    }

    /// The same, of one kind.
    #[must_use]
    pub fn with_kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = Some(kind.into());
        self
    }
}

/// Numbers of one kind in one queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[non_exhaustive]
pub struct KindStats {
    /// The queue.
    #[schema(value_type = String)]
    pub queue: QueueName,
    /// The kind.
    pub kind: String,
    /// Jobs that wait and are due: the depth of the queue.
    pub ready: u64,
    /// Jobs that wait for their time.
    pub scheduled: u64,
    /// Jobs that a worker holds.
    pub running: u64,
    /// Dead letters.
    pub dead: u64,
    /// How long the oldest due job has waited, in milliseconds; 0 when none waits.
    pub oldest_ready_ms: u64,
}

impl KindStats {
    /// Numbers that are all zero. For adapters.
    pub fn new(queue: QueueName, kind: impl Into<String>) -> Self {
        Self { queue, kind: kind.into(), ready: 0, scheduled: 0, running: 0, dead: 0, oldest_ready_ms: 0 }
    }
}
