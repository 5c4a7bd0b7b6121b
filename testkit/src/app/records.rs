//! Typed jobs and events in what the queue has stored.

use std::collections::BTreeSet;

use dolmen_ports::{Event, EventEnvelope, Job, JobRecord};

/// The jobs of a type, in their order.
pub(super) fn jobs_in<J: Job>(records: &[JobRecord]) -> Vec<J> {
    let of_kind = records.iter().filter(|record| record.kind == J::KIND);
    of_kind.filter_map(|record| serde_json::from_str(&record.payload).ok()).collect()
}

/// The events of a type, in their order, each once however many subscribe to it.
pub(super) fn events_in<E: Event>(records: &[JobRecord]) -> Vec<E> {
    let mut seen = BTreeSet::new();
    let envelopes = records.iter().filter_map(|record| serde_json::from_str(&record.payload).ok());
    let of_type = envelopes.filter(|envelope: &EventEnvelope| envelope.name == E::NAME);
    let once = of_type.filter(|envelope| seen.insert(envelope.id));
    once.filter_map(|envelope| serde_json::from_value(envelope.payload).ok()).collect()
}
