//! Handlers of events.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{Event, EventEnvelope, PortError};

use crate::jobs::{ErasedHandler, JobContext, JobError, decode};

/// Reacts to an event, in a job of its own: at least once, retried, with dead letters, in its own transaction.
/// Closures `async |event, context| …` are handlers too.
pub trait EventHandler<E: Event>: Send + Sync + 'static {
    /// Reacts to the event.
    fn on(&self, event: E, context: JobContext) -> impl Future<Output = Result<(), JobError>> + Send;
}

impl<E, F, Fut> EventHandler<E> for F
where
    E: Event,
    F: Fn(E, JobContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), JobError>> + Send,
{
    fn on(&self, event: E, context: JobContext) -> impl Future<Output = Result<(), JobError>> + Send {
        self(event, context)
    }
}

struct Typed<E, H> {
    handler: H,
    event: PhantomData<fn() -> E>,
}

#[async_trait]
impl<E: Event, H: EventHandler<E>> ErasedHandler for Typed<E, H> {
    async fn run(&self, payload: &str, _: u32, context: JobContext) -> Result<(), JobError> {
        let envelope: EventEnvelope = decode(payload)?;
        let event: E = serde_json::from_value(envelope.payload).map_err(|error| {
            JobError::bury(
                PortError::new(dolmen_ports::ErrorKind::InvalidInput, "events", "read the event")
                    .with_detail(format!(
                        "event {} of {} does not fit the type of this version",
                        envelope.id, envelope.name
                    ))
                    .with_source(error),
            )
        })?;
        self.handler.on(event, context).await
    }
}

pub(crate) fn erase_event<E: Event>(handler: impl EventHandler<E>) -> Arc<dyn ErasedHandler> {
    Arc::new(Typed { handler, event: PhantomData })
}
