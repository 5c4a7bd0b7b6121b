//! Asking for a report: a row and a job, in one transaction.

use dolmen::{Actor, PortResult, Principal, WriteTx};

use super::UseCases;
use super::make_report::MakeReport;
use crate::domain::{Month, Report, ReportId};

impl UseCases {
    /// Queues a report that a user asks for.
    pub(crate) async fn request_report(&self, principal: &Principal, month: Month) -> PortResult<Report> {
        let report = self.new_report(month);
        let actor = principal.actor();
        self.ports
            .database
            .tenant(principal.tenant)
            .write(async |tx| self.queue_report(tx, &report, actor).await)
            .await?;
        Ok(report)
    }

    pub(super) fn new_report(&self, month: Month) -> Report {
        Report::queued(ReportId::new(self.ports.ids.next()), month, self.ports.clock.now())
    }

    pub(super) async fn queue_report(
        &self,
        tx: &mut WriteTx,
        report: &Report,
        actor: Actor,
    ) -> PortResult<()> {
        self.reports.insert(tx, report).await?;
        self.ports.jobs.enqueue(tx, &MakeReport { report: report.id }).await?;
        let target = format!("report/{}", report.id);
        self.ports.audit.record(tx, actor, "reports.request_report", target).await
    }
}
