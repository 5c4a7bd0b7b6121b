//! The nightly report: a job of the system scope hands each tenant a job of its own.

use std::sync::Arc;
use std::time::Duration;

use dolmen::{Actor, Job, JobContext, JobError, JobHandler, JobOptions, PortResult, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use super::UseCases;
use crate::domain::Month;

/// Asks, for every tenant, for the report of the month that yesterday lies in: of the month so far, and on the first of
/// a month of all of the one that has just ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartNightly {
    /// When the schedule ticked.
    pub(crate) tick: Timestamp,
}

impl Job for StartNightly {
    const KIND: &'static str = "reports.start_nightly";
}

/// Asks for the report of one tenant, the job's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestNightly {
    pub(crate) month: String,
}

impl Job for RequestNightly {
    const KIND: &'static str = "reports.request_nightly";
}

/// Hands out the jobs. All tenants in one transaction with the completion: each gets its job exactly once.
impl JobHandler<StartNightly> for Arc<UseCases> {
    async fn run(&self, job: StartNightly, context: JobContext) -> Result<(), JobError> {
        let yesterday = job.tick.minus(Duration::from_hours(24));
        let month = Month::of(yesterday).map_err(JobError::bury)?;
        let request = RequestNightly { month: month.to_string() };
        let handed_out: PortResult<()> = context
            .complete(async |tx| {
                for tenant in self.ports.accounts.tenants(tx).await? {
                    let options = JobOptions::new().scope(Scope::Tenant(tenant));
                    self.ports.jobs.enqueue_with(tx, &request, options).await?;
                }
                Ok(())
            })
            .await;
        Ok(handed_out?)
    }
}

/// Queues the report of the job's tenant, exactly once.
impl JobHandler<RequestNightly> for Arc<UseCases> {
    async fn run(&self, job: RequestNightly, context: JobContext) -> Result<(), JobError> {
        let month = Month::parse(&job.month).map_err(JobError::bury)?;
        context.complete(async |tx| self.queue_report(tx, month, Actor::System).await).await?;
        Ok(())
    }
}
