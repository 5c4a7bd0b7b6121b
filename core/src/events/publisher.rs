//! Publishing: one job per subscription, in the caller's transaction.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use dolmen_ports::{
    Clock, ErrorKind, Event, EventEnvelope, IdGenerator, JobId, JobQueue, NewJob, PortError, PortResult,
    QueueName, Uuid, WriteTx,
};

/// Which jobs an event becomes: event name to kinds and queues of its subscriptions. An event that a module owns and
/// nobody subscribes to has an entry without jobs.
pub(crate) type Subscriptions = BTreeMap<&'static str, Vec<(String, QueueName)>>;

/// Publishes typed events; cheap to clone.
///
/// An event exists if and only if the transaction that publishes it commits. Each subscription gets it in a job of its
/// own, at least once, later: that is eventual consistency, chosen where a module may learn of a fact later.
#[derive(Debug, Clone)]
pub struct EventPublisher {
    queue: Arc<dyn JobQueue>,
    ids: Arc<dyn IdGenerator>,
    clock: Arc<dyn Clock>,
    subscriptions: Arc<OnceLock<Subscriptions>>,
}

impl EventPublisher {
    pub(crate) fn new(queue: Arc<dyn JobQueue>, ids: Arc<dyn IdGenerator>, clock: Arc<dyn Clock>) -> Self {
        Self { queue, ids, clock, subscriptions: Arc::new(OnceLock::new()) }
    }

    /// Fixes who subscribes to what, once all modules have registered. The first call wins.
    pub(crate) fn freeze(&self, subscriptions: Subscriptions) {
        drop(self.subscriptions.set(subscriptions));
    }

    /// Publishes an event in the caller's transaction; returns the event's id.
    ///
    /// # Errors
    /// `InvalidInput` when the event is too large, cannot be written as JSON, or no module registered it; `Unavailable`
    /// before the application is built, when it is not known yet who subscribes.
    pub async fn publish<E: Event>(&self, tx: &mut WriteTx, event: &E) -> PortResult<Uuid> {
        let subscriptions = self.subscriptions.get().ok_or_else(|| {
            error(
                ErrorKind::Unavailable,
                "the application is not built yet; publish after App::builder(..).build()".to_owned(),
            )
        })?;
        let subscribers = subscriptions.get(E::NAME).ok_or_else(|| {
            error(
                ErrorKind::InvalidInput,
                format!("no module owns {}; its module registers it with registrar.event", E::NAME),
            )
        })?;
        let payload = serde_json::to_value(event).map_err(|cause| {
            error(ErrorKind::InvalidInput, format!("{} cannot be written as JSON", E::NAME))
                .with_source(cause)
        })?;
        let envelope = EventEnvelope::new(self.ids.next(), E::NAME, self.clock.now(), payload);
        let text = serde_json::to_string(&envelope).map_err(|cause| {
            error(ErrorKind::InvalidInput, format!("{} cannot be written as JSON", E::NAME))
                .with_source(cause)
        })?;
        let scope = tx.scope();
        let jobs: Vec<NewJob> = subscribers
            .iter()
            .map(|(kind, queue)| {
                let mut job = NewJob::new(JobId::new(self.ids.next()), kind.clone(), text.clone(), scope);
                job.queue = queue.clone();
                // A line for each subscription: one that fails holds up its own followers only.
                job.ordering_key = event.ordering_key().map(|key| format!("{kind}/{key}"));
                job
            })
            .collect();
        if !jobs.is_empty() {
            self.queue.enqueue(tx, jobs).await?;
        }
        Ok(envelope.id)
    }
}

fn error(kind: ErrorKind, detail: String) -> PortError {
    PortError::new(kind, "events", "publish").with_detail(detail)
}
