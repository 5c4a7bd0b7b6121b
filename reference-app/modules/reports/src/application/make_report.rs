//! Making a report: compute, write the object, then say that it is done.

use std::sync::Arc;

use dolmen::{Bytes, Database, Job, JobContext, JobError, JobHandler, ObjectStore, PortResult, PutOptions};
use invoices::api::Invoices;
use serde::{Deserialize, Serialize};

use crate::domain::{Report, ReportId, ReportStatus, revenue_csv};
use crate::ports::ReportRepository;

/// Makes one report of the job's tenant.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MakeReportJob {
    pub(crate) report: ReportId,
}

impl Job for MakeReportJob {
    const KIND: &'static str = "reports.make_report";
    const MAX_ATTEMPTS: u32 = 5;
}

/// Computes the revenue and stores it as CSV. Run twice, it writes the same object twice: harmless.
pub(crate) struct MakeReport {
    pub(crate) database: Database,
    pub(crate) reports: Arc<dyn ReportRepository>,
    pub(crate) invoices: Arc<dyn Invoices>,
    pub(crate) objects: Arc<dyn ObjectStore>,
}

impl JobHandler<MakeReportJob> for MakeReport {
    async fn run(&self, job: MakeReportJob, context: JobContext) -> Result<(), JobError> {
        let Some(report) = self.begin(job.report, &context).await? else {
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
                self.database
                    .tenant(tenant)
                    .write(async |tx| self.reports.set_status(tx, report.id, failed).await)
                    .await?;
                Err(JobError::bury(error))
            }
            Err(error) => Err(JobError::retry(error)),
        }
    }
}

impl MakeReport {
    async fn begin(&self, id: ReportId, context: &JobContext) -> PortResult<Option<Report>> {
        self.database
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
        let database = self.database.tenant(tenant);
        let revenue = database.read(async |tx| self.invoices.revenue(tx, from, to).await).await?;
        let csv = Bytes::from(revenue_csv(report.month, &revenue));
        self.objects
            .put(&report.object_key(tenant)?, csv, PutOptions::new("text/csv; charset=utf-8"))
            .await?;
        Ok(())
    }
}
