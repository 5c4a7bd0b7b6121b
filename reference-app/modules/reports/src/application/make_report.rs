//! Making a report: compute, write the object, then say that it is done.

use std::sync::Arc;

use dolmen::{
    Bytes, ErrorKind, Job, JobContext, JobError, JobHandler, PortResult, PutMode, PutOptions, TenantId,
};
use serde::{Deserialize, Serialize};

use super::UseCases;
use crate::domain::{Report, ReportId, revenue_csv};

/// Makes one report of the job's tenant.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct MakeReport {
    pub(crate) report: ReportId,
}

impl Job for MakeReport {
    const KIND: &'static str = "reports.make_report";
    const MAX_ATTEMPTS: u32 = 5;
}

/// Computes the revenue and stores it as CSV. The only write to the row comes with the completion, so that a worker
/// that lost its lease changes nothing.
impl JobHandler<MakeReport> for Arc<UseCases> {
    async fn run(&self, job: MakeReport, context: JobContext) -> Result<(), JobError> {
        let tenant = context.tenant()?;
        let database = self.ports.database.tenant(tenant);
        let Some(report) = database.read(async |tx| self.reports.find(tx, job.report).await).await? else {
            return Err(JobError::discard("the report is gone"));
        };
        self.store_csv(&report, tenant).await.map_err(JobError::retry)?;
        let now = self.ports.clock.now();
        context.complete(async |tx| self.reports.set_done(tx, report.id, now).await).await?;
        Ok(())
    }
}

impl UseCases {
    async fn store_csv(&self, report: &Report, tenant: TenantId) -> PortResult<()> {
        let (from, to) = report.month.span();
        let database = self.ports.database.tenant(tenant);
        let revenue = database.read(async |tx| self.ports.invoices.revenue(tx, from, to).await).await?;
        let csv = Bytes::from(revenue_csv(report.month, &revenue));
        let options = PutOptions::new("text/csv; charset=utf-8").with_mode(PutMode::Create);
        match self.ports.objects.put(&report.object_key(tenant)?, csv, options).await {
            // An attempt before this one, or one that overtook it: a CSV that somebody may have read stays as it is.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            stored => stored.map(drop),
        }
    }
}
