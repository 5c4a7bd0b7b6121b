//! Making a report: compute, write the object, then say that it is done.

use std::sync::Arc;

use dolmen::{Bytes, Job, JobContext, JobError, JobHandler, PortResult, PutOptions};
use serde::{Deserialize, Serialize};

use super::UseCases;
use crate::domain::{Report, ReportId, ReportStatus, revenue_csv};

/// Makes one report of the job's tenant.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MakeReport {
    pub(crate) report: ReportId,
}

impl Job for MakeReport {
    const KIND: &'static str = "reports.make_report";
    const MAX_ATTEMPTS: u32 = 5;
}

/// Computes the revenue and stores it as CSV. Run twice, it writes the same object twice: harmless.
impl JobHandler<MakeReport> for Arc<UseCases> {
    async fn run(&self, job: MakeReport, context: JobContext) -> Result<(), JobError> {
        let Some(report) = self.begin_report(job.report, &context).await? else {
            return Err(JobError::discard("the report is gone"));
        };
        match self.store_csv(&report, &context).await {
            Ok(()) => {
                let done = ReportStatus::Done;
                context.complete(async |tx| self.reports.set_status(tx, report.id, done).await).await?;
                Ok(())
            }
            Err(error) if context.is_last_attempt() => {
                let tenant = context.tenant()?;
                let failed = ReportStatus::Failed;
                self.ports
                    .database
                    .tenant(tenant)
                    .write(async |tx| self.reports.set_status(tx, report.id, failed).await)
                    .await?;
                Err(JobError::bury(error))
            }
            Err(error) => Err(JobError::retry(error)),
        }
    }
}

impl UseCases {
    async fn begin_report(&self, id: ReportId, context: &JobContext) -> PortResult<Option<Report>> {
        self.ports
            .database
            .tenant(context.tenant()?)
            .write(async |tx| {
                let report = self.reports.find(tx, id).await?;
                if report.is_some() {
                    self.reports.set_status(tx, id, ReportStatus::Running).await?;
                }
                Ok(report)
            })
            .await
    }

    async fn store_csv(&self, report: &Report, context: &JobContext) -> PortResult<()> {
        let tenant = context.tenant()?;
        let (from, to) = report.month.span();
        let database = self.ports.database.tenant(tenant);
        let revenue = database.read(async |tx| self.ports.invoices.revenue(tx, from, to).await).await?;
        let csv = Bytes::from(revenue_csv(report.month, &revenue));
        self.ports
            .objects
            .put(&report.object_key(tenant)?, csv, PutOptions::new("text/csv; charset=utf-8"))
            .await?;
        Ok(())
    }
}
