//! How much of each queue this process takes at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use dolmen_ports::{ClaimRequest, QueueName};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::engine::Engine;

/// What to ask for: everything that has no limit of its own with one request, and each queue that has one with another.
pub(super) struct Shares {
    /// None when every queue that is wanted has a limit.
    unlimited: Option<ClaimRequest>,
    limited: Vec<ClaimRequest>,
    places: BTreeMap<QueueName, Arc<Semaphore>>,
}

impl Shares {
    pub(super) fn new(engine: &Engine) -> Self {
        let settings = &engine.settings;
        let all = ClaimRequest::new(engine.id, engine.registry.kinds(), u32::MAX, settings.lease());
        let wanted = settings.queues();
        let limits = settings.queue_limits();
        let is_wanted = |queue: &QueueName| wanted.is_empty() || wanted.contains(queue);
        let limited: Vec<QueueName> = limits.keys().filter(|queue| is_wanted(queue)).cloned().collect();
        let mut unlimited = all.clone();
        unlimited.queues = wanted.iter().filter(|queue| !limits.contains_key(queue)).cloned().collect();
        let has_unlimited = wanted.is_empty() || !unlimited.queues.is_empty();
        if unlimited.queues.is_empty() {
            unlimited.except.clone_from(&limited);
        }
        let requests = limited.into_iter().map(|queue| {
            let mut request = all.clone();
            request.queues = vec![queue];
            request
        });
        let places = |limit: u32| Arc::new(Semaphore::new(usize::try_from(limit).unwrap_or(1)));
        Self {
            unlimited: has_unlimited.then_some(unlimited),
            limited: requests.collect(),
            places: limits.iter().map(|(queue, limit)| (queue.clone(), places(*limit))).collect(),
        }
    }

    /// The requests to make now, each with the most that it may take.
    pub(super) fn requests(&self) -> Vec<ClaimRequest> {
        let mut requests: Vec<ClaimRequest> = self.unlimited.iter().cloned().collect();
        for request in &self.limited {
            let places = request.queues.first().and_then(|queue| self.places.get(queue));
            let free = places.map_or(0, |places| places.available_permits());
            if let Ok(limit @ 1..) = u32::try_from(free) {
                let mut request = request.clone();
                request.limit = limit;
                requests.push(request);
            }
        }
        requests
    }

    /// Whether some queue has all that it may have.
    pub(super) fn is_any_full(&self) -> bool {
        self.places.values().any(|places| places.available_permits() == 0)
    }

    /// The place of a job that was claimed, given back when it is dropped; none for a queue without a limit.
    pub(super) fn place_of(&self, queue: &QueueName) -> Option<OwnedSemaphorePermit> {
        Arc::clone(self.places.get(queue)?).try_acquire_owned().ok()
    }
}
