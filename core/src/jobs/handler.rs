//! Handlers: typed for users, erased for the worker.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{Job, PortError};
use serde::de::DeserializeOwned;

use super::context::JobContext;
use super::error::JobError;

/// Does the work of one kind of job. Closures are handlers too: `async |job, context| …` if it captures nothing, else
/// `move |job, context| { let mailer = mailer.clone(); async move { … } }`.
///
/// It runs outside any transaction, at least once per job, perhaps more than once: a process can die after the work and
/// before its completion. Database effects that must happen exactly once go into [`JobContext::complete`].
///
/// # Errors
/// A [`JobError`] says what is to become of the job. A panic is a failed attempt.
pub trait JobHandler<J: Job>: Send + Sync + 'static {
    /// Does the work.
    fn run(&self, job: J, context: JobContext) -> impl Future<Output = Result<(), JobError>> + Send;
}

impl<J, F, Fut> JobHandler<J> for F
where
    J: Job,
    F: Fn(J, JobContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<(), JobError>> + Send,
{
    fn run(&self, job: J, context: JobContext) -> impl Future<Output = Result<(), JobError>> + Send {
        self(job, context)
    }
}

/// A handler whose payload type is forgotten.
#[async_trait]
pub(crate) trait ErasedHandler: Send + Sync + 'static {
    async fn run(&self, payload: &str, context: JobContext) -> Result<(), JobError>;
}

struct Typed<J, H> {
    handler: H,
    job: PhantomData<fn() -> J>,
}

#[async_trait]
impl<J: Job, H: JobHandler<J>> ErasedHandler for Typed<J, H> {
    async fn run(&self, payload: &str, context: JobContext) -> Result<(), JobError> {
        let job: J = decode(payload)?;
        self.handler.run(job, context).await
    }
}

pub(crate) fn erase<J: Job>(handler: impl JobHandler<J>) -> Arc<dyn ErasedHandler> {
    Arc::new(Typed { handler, job: PhantomData })
}

/// Reads a payload; one that does not fit its type can never work, so it is buried.
pub(crate) fn decode<T: DeserializeOwned>(payload: &str) -> Result<T, JobError> {
    serde_json::from_str(payload).map_err(|error| {
        JobError::bury(
            PortError::new(dolmen_ports::ErrorKind::InvalidInput, "jobs", "read the payload")
                .with_detail("job/undecodable: the payload does not fit the type of this version")
                .with_source(error),
        )
    })
}
