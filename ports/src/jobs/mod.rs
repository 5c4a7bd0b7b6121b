//! Jobs: work that is done later, at least once, in the order of its queue.

mod model;
mod queue;
mod record;

use std::time::Duration;

pub use model::{
    ClaimId, ClaimRequest, ClaimedJob, Due, Enqueued, JobFailure, JobId, JobState, Lease, NewJob, NextStep,
    QueueName, WorkerId,
};
pub use queue::{Heartbeat, JobQueue, MAX_CRASHES, Rescued};
pub use record::{JobFilter, JobRecord, KindStats};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A kind of work and its payload.
///
/// # Examples
/// ```
/// use dolmen_ports::Job;
/// use serde::{Deserialize, Serialize};
/// #[derive(Debug, Serialize, Deserialize)]
/// struct SendInvoiceMail { invoice: String }
/// impl Job for SendInvoiceMail {
///     const KIND: &'static str = "notifications.send_invoice_mail";
/// }
/// ```
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `<module>.<verb_noun>`.
    const KIND: &'static str;
    /// The queue it waits in.
    const QUEUE: QueueName = QueueName::DEFAULT;
    /// How often it is tried before it is dead; 1 to 1,000.
    const MAX_ATTEMPTS: u32 = 10;
    /// How long one attempt may take; the lease is extended up to this.
    const TIMEOUT: Duration = Duration::from_mins(5);
}
