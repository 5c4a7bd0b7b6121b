//! Jobs: work that is done later, at least once, in the order of its queue.

mod model;
mod new_job;
mod queue;
mod record;
mod unique;

use std::time::Duration;

pub use model::{
    ClaimId, ClaimRequest, ClaimedJob, JobFailure, JobId, JobState, KnownKind, Lease, NextStep, QueueName,
    WorkerId,
};
pub use new_job::{Due, Enqueued, NewJob};
pub use queue::{Heartbeat, JobQueue, MAX_CRASHES, OldestSnapshot, Reach, Rescued};
pub use record::{JobFilter, JobRecord, KindStats};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
pub use unique::Unique;

use crate::error::BoxError;

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
    /// The version of its payload. Raise it when a program that knows only the payload as it was could not read the new one:
    /// such a program then leaves the job to those that can. 1 to 32,767.
    const VERSION: u32 = 1;

    /// Turns a payload of `version` into one of `version + 1`; called once for each version below [`Job::VERSION`], so that
    /// jobs which wait since before a release are still done.
    ///
    /// # Errors
    /// Why it cannot be done; the job becomes a dead letter with this reason.
    ///
    /// # Examples
    /// ```
    /// use dolmen_ports::{BoxError, Job};
    /// use serde::{Deserialize, Serialize};
    /// use serde_json::{Value, json};
    /// #[derive(Serialize, Deserialize)]
    /// struct SendMail { to: Vec<String> }
    /// impl Job for SendMail {
    ///     const KIND: &'static str = "notifications.send_mail";
    ///     const VERSION: u32 = 2;
    ///     fn upcast(_version: u32, payload: Value) -> Result<Value, BoxError> {
    ///         Ok(json!({ "to": [payload["to"]] }))   // version 1 had one address
    ///     }
    /// }
    /// # assert_eq!(SendMail::upcast(1, json!({ "to": "a@b.c" })).unwrap(), json!({ "to": ["a@b.c"] }));
    /// ```
    fn upcast(version: u32, payload: Value) -> Result<Value, BoxError> {
        drop(payload);
        Err(format!("{} does not say how a payload of version {version} is read", Self::KIND).into())
    }
}
