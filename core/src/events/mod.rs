//! Typed events: publish them, subscribe to them. A subscription is a job, so there is one story of retries.

mod handler;
mod publisher;

pub use handler::EventHandler;
pub(crate) use handler::erase_event;
pub use publisher::EventPublisher;
pub(crate) use publisher::Subscriptions;
