//! Events: facts that a module publishes for others, delivered later, each subscription in its own transaction.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::time::Timestamp;

/// A fact that happened in a module, such as an invoice that was issued. Part of the module's public `api`.
///
/// # Examples
/// ```
/// use dolmen_ports::Event;
/// use serde::{Deserialize, Serialize};
/// #[derive(Debug, Serialize, Deserialize)]
/// struct InvoiceIssued { invoice: String }
/// impl Event for InvoiceIssued {
///     const NAME: &'static str = "invoices.invoice_issued.v1";
/// }
/// ```
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `<module>.<past_fact>.v<n>`; a changed shape is a new version, beside the old one.
    const NAME: &'static str;

    /// Events of one scope with one ordering key reach each subscription one after the other, in the order of their
    /// publication; none by default. `invoice-7` puts all that happens to invoice 7 in line.
    fn ordering_key(&self) -> Option<String> {
        None
    }
}

/// An event on its way to one subscription: the payload of that subscription's job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct EventEnvelope {
    /// Identifies the event; the same for all subscriptions.
    pub id: Uuid,
    /// The event's name.
    pub name: String,
    /// When it happened.
    pub occurred_at: Timestamp,
    /// The event itself.
    pub payload: serde_json::Value,
}

impl EventEnvelope {
    /// Wraps an event.
    pub fn new(
        id: Uuid,
        name: impl Into<String>,
        occurred_at: Timestamp,
        payload: serde_json::Value,
    ) -> Self {
        Self { id, name: name.into(), occurred_at, payload }
    }
}
