//! The ports that the application itself runs on.

use std::sync::Arc;

use dolmen_ports::{
    Clock, Database, IdGenerator, Inbox, JobQueue, Metrics, MigrationSet, ScheduleStore, SessionStore,
    Stores, SystemClock, UuidV7Ids,
};

use crate::events::EventPublisher;
use crate::jobs::Jobs;

/// The adapters that the engine needs: database, queue and schedule store, all of one backend; clock, ids and metrics
/// with defaults.
///
/// Made once, where the application is wired; modules get the handles that they name in their `new`.
#[derive(Debug, Clone)]
pub struct AppPorts {
    database: Database,
    queue: Arc<dyn JobQueue>,
    schedules: Arc<dyn ScheduleStore>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
    metrics: Metrics,
    events: EventPublisher,
    migrations: Vec<MigrationSet>,
    inbox: Option<Arc<dyn Inbox>>,
    sessions: Option<Arc<dyn SessionStore>>,
}

impl AppPorts {
    /// The required adapters, with the machine's clock, UUID v7 ids and no metrics.
    pub fn new(database: Database, queue: Arc<dyn JobQueue>, schedules: Arc<dyn ScheduleStore>) -> Self {
        Self::with_time(database, queue, schedules, Arc::new(SystemClock), Arc::new(UuidV7Ids::new()))
    }

    /// The required adapters, with another clock and other ids, as tests need.
    pub fn with_time(
        database: Database,
        queue: Arc<dyn JobQueue>,
        schedules: Arc<dyn ScheduleStore>,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdGenerator>,
    ) -> Self {
        let events = EventPublisher::new(Arc::clone(&queue), Arc::clone(&ids), Arc::clone(&clock));
        Self {
            database,
            queue,
            schedules,
            clock,
            ids,
            metrics: Metrics::none(),
            events,
            migrations: Vec::new(),
            inbox: None,
            sessions: None,
        }
    }

    /// The same, with another clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.events = EventPublisher::new(Arc::clone(&self.queue), Arc::clone(&self.ids), Arc::clone(&clock));
        self.clock = clock;
        self
    }

    /// The same, recording into `metrics`.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
        self
    }

    /// The same, with the schema of an adapter, which is applied before that of the modules.
    #[must_use]
    pub fn with_migrations(mut self, migrations: MigrationSet) -> Self {
        self.migrations.push(migrations);
        self
    }

    /// The same, with an inbox whose old keys the worker removes, as it removes finished jobs.
    #[must_use]
    pub fn with_inbox(mut self, inbox: Arc<dyn Inbox>) -> Self {
        self.inbox = Some(inbox);
        self
    }

    /// The same, with a session store whose ended sessions the worker removes.
    #[must_use]
    pub fn with_sessions(mut self, sessions: Arc<dyn SessionStore>) -> Self {
        self.sessions = Some(sessions);
        self
    }

    /// The inbox to keep small.
    pub(crate) fn inbox(&self) -> Option<&Arc<dyn Inbox>> {
        self.inbox.as_ref()
    }

    /// The session store to keep small.
    pub(crate) fn sessions(&self) -> Option<&Arc<dyn SessionStore>> {
        self.sessions.as_ref()
    }

    /// The schemas of the adapters.
    pub fn migrations(&self) -> &[MigrationSet] {
        &self.migrations
    }

    /// The database.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The job queue, for adapters and operations; modules use [`AppPorts::jobs`].
    pub fn queue(&self) -> &Arc<dyn JobQueue> {
        &self.queue
    }

    /// The memory of schedules.
    pub fn schedules(&self) -> &Arc<dyn ScheduleStore> {
        &self.schedules
    }

    /// The clock.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// The ids.
    pub fn ids(&self) -> &Arc<dyn IdGenerator> {
        &self.ids
    }

    /// The metrics.
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Enqueues typed jobs.
    pub fn jobs(&self) -> Jobs {
        Jobs::new(Arc::clone(&self.queue), Arc::clone(&self.ids))
    }

    /// Publishes typed events.
    pub fn events(&self) -> EventPublisher {
        self.events.clone()
    }
}

impl From<Stores> for AppPorts {
    /// All that a database gives, with its schema, and the defaults of [`AppPorts::new`] for the rest.
    fn from(stores: Stores) -> Self {
        Self::new(stores.database, stores.jobs, stores.schedules)
            .with_migrations(stores.migrations)
            .with_inbox(stores.inbox)
            .with_sessions(stores.sessions)
    }
}
