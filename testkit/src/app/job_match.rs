//! How a job was enqueued: what `assert_enqueued!` can ask for besides its payload.

use std::fmt;
use std::time::Duration;

use dolmen_ports::{Job, JobFilter, JobRecord, Scope, TenantId, Timestamp};

use super::TestApp;

/// How far a delay may be off: the databases take the time of each statement anew.
const TOLERANCE: Duration = Duration::from_secs(1);

/// How a job should have been enqueued. What is not said may be as it is.
///
/// The macros [`assert_enqueued!`](crate::assert_enqueued) and [`refute_enqueued!`](crate::refute_enqueued) make it of
/// their last words.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct JobMatch {
    queue: Option<String>,
    scope: Option<Scope>,
    due_in: Option<Duration>,
    due_at: Option<Timestamp>,
    unique: Option<String>,
    ordered_by: Option<String>,
    priority: Option<i16>,
}

impl JobMatch {
    /// In any way.
    pub fn new() -> Self {
        Self::default()
    }

    /// In this queue.
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// For this tenant.
    pub fn tenant(self, tenant: TenantId) -> Self {
        self.scope(Scope::Tenant(tenant))
    }

    /// In this scope.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = Some(scope);
        self
    }

    /// Due this long after it was enqueued, to the second; zero says at once. A retry changes when a job is due.
    pub fn due_in(mut self, delay: Duration) -> Self {
        self.due_in = Some(delay);
        self
    }

    /// Due at this instant.
    pub fn due_at(mut self, at: Timestamp) -> Self {
        self.due_at = Some(at);
        self
    }

    /// With this unique key.
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique = Some(key.into());
        self
    }

    /// With this ordering key.
    pub fn ordered_by(mut self, key: impl Into<String>) -> Self {
        self.ordered_by = Some(key.into());
        self
    }

    /// With this priority.
    pub fn priority(mut self, priority: i16) -> Self {
        self.priority = Some(priority);
        self
    }

    fn holds(&self, job: &JobRecord) -> bool {
        let delay = job.due_at.since(job.created_at);
        self.queue.as_ref().is_none_or(|queue| job.queue.as_str() == queue)
            && self.scope.is_none_or(|scope| job.tenant == scope.tenant())
            && self.due_in.is_none_or(|due_in| delay.abs_diff(due_in) < TOLERANCE)
            && self.due_at.is_none_or(|at| job.due_at == at)
            && self.unique.as_ref().is_none_or(|key| job.unique_key.as_ref() == Some(key))
            && self.ordered_by.as_ref().is_none_or(|key| job.ordering_key.as_ref() == Some(key))
            && self.priority.is_none_or(|priority| job.priority == priority)
    }
}

/// What is asked for, as it follows a kind: ` that matches, in queue mail`.
impl fmt::Display for JobMatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " that matches")?;
        let Self { queue, scope, due_in, due_at, unique, ordered_by, priority } = self;
        queue.iter().try_for_each(|queue| write!(f, ", in queue {queue}"))?;
        scope.iter().try_for_each(|scope| match scope.tenant() {
            Some(tenant) => write!(f, ", for tenant {tenant}"),
            None => write!(f, ", in the system scope"),
        })?;
        due_in.iter().try_for_each(|delay| write!(f, ", due in {delay:?}"))?;
        due_at.iter().try_for_each(|at| write!(f, ", due at {at}"))?;
        unique.iter().try_for_each(|key| write!(f, ", unique by {key:?}"))?;
        ordered_by.iter().try_for_each(|key| write!(f, ", ordered by {key:?}"))?;
        priority.iter().try_for_each(|priority| write!(f, ", with priority {priority}"))
    }
}

impl TestApp {
    /// How many jobs of a type match, what was asked for, and all jobs in words. For the macros.
    #[doc(hidden)]
    pub async fn matching<J: Job>(
        &self,
        like: &JobMatch,
        mut matches: impl FnMut(&J) -> bool,
    ) -> (usize, String, String) {
        // Jobs that cannot be read are told of by the summary.
        let records = self.records(&JobFilter::all().with_kind(J::KIND)).await.unwrap_or_default();
        let found = records.iter().filter(|record| {
            like.holds(record)
                && serde_json::from_str::<J>(&record.payload).is_ok_and(|payload| matches(&payload))
        });
        (found.count(), format!("{}{like}", J::KIND), self.summary().await)
    }
}
