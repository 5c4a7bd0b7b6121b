//! The nightly report: a job of the system scope hands each tenant a job of its own.

use std::sync::Arc;

use accounts::api::Accounts;
use dolmen::{Actor, Job, JobContext, JobError, JobHandler, JobOptions, Jobs, PortResult, Scope, Timestamp};
use serde::{Deserialize, Serialize};

use super::request_report::RequestReport;
use crate::domain::Month;

/// Asks for the report of the month so far, for every tenant.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartNightlyJob {
    /// When the schedule ticked.
    pub(crate) tick: Timestamp,
}

impl Job for StartNightlyJob {
    const KIND: &'static str = "reports.start_nightly";
}

/// Asks for the report of one tenant, the job's.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RequestNightlyJob {
    pub(crate) month: String,
}

impl Job for RequestNightlyJob {
    const KIND: &'static str = "reports.request_nightly";
}

/// Hands out the jobs. All tenants in one transaction with the completion: each gets its job exactly once.
pub(crate) struct StartNightly {
    pub(crate) accounts: Arc<dyn Accounts>,
    pub(crate) jobs: Jobs,
}

impl JobHandler<StartNightlyJob> for StartNightly {
    async fn run(&self, job: StartNightlyJob, context: JobContext) -> Result<(), JobError> {
        let month = Month::of(job.tick).map_err(JobError::bury)?;
        let request = RequestNightlyJob { month: month.to_string() };
        let handed_out: PortResult<()> = context
            .complete(async |tx| {
                for tenant in self.accounts.tenants(tx).await? {
                    let options = JobOptions::new().scope(Scope::Tenant(tenant));
                    self.jobs.enqueue_with(tx, &request, options).await?;
                }
                Ok(())
            })
            .await;
        Ok(handed_out?)
    }
}

/// Queues the report of the job's tenant, exactly once.
pub(crate) struct RequestNightly {
    pub(crate) request: RequestReport,
}

impl JobHandler<RequestNightlyJob> for RequestNightly {
    async fn run(&self, job: RequestNightlyJob, context: JobContext) -> Result<(), JobError> {
        let month = Month::parse(&job.month).map_err(JobError::bury)?;
        let report = self.request.report(month);
        context.complete(async |tx| self.request.queue(tx, &report, Actor::System).await).await?;
        Ok(())
    }
}
