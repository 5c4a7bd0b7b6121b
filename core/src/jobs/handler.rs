//! Handlers: typed for users, erased for the worker.

use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use dolmen_ports::{BoxError, Job, PortError};
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
    /// `version` is the payload's.
    async fn run(&self, payload: &str, version: u32, context: JobContext) -> Result<(), JobError>;
}

struct Typed<J, H> {
    handler: H,
    job: PhantomData<fn() -> J>,
}

#[async_trait]
impl<J: Job, H: JobHandler<J>> ErasedHandler for Typed<J, H> {
    async fn run(&self, payload: &str, version: u32, context: JobContext) -> Result<(), JobError> {
        let job: J = if version < J::VERSION { upcast::<J>(payload, version)? } else { decode(payload)? };
        self.handler.run(job, context).await
    }
}

pub(crate) fn erase<J: Job>(handler: impl JobHandler<J>) -> Arc<dyn ErasedHandler> {
    Arc::new(Typed { handler, job: PhantomData })
}

/// Brings a payload to this program's version, step by step, and reads it.
fn upcast<J: Job>(payload: &str, version: u32) -> Result<J, JobError> {
    let payload = (version..J::VERSION).try_fold(decode(payload)?, |payload, version| {
        J::upcast(version, payload).map_err(|error| undecodable(J::KIND, version, error))
    })?;
    serde_json::from_value(payload).map_err(|error| undecodable(J::KIND, version, error.into()))
}

fn undecodable(kind: &str, version: u32, error: BoxError) -> JobError {
    let detail = format!(
        "job/undecodable: {kind}: the payload of version {version} cannot be brought to the version of this program"
    );
    let error = PortError::new(dolmen_ports::ErrorKind::InvalidInput, "jobs", "read the payload")
        .with_detail(detail)
        .with_source(error);
    JobError::bury(error)
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
