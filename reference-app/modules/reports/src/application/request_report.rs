//! Asking for a report: a row and a job, in one transaction.

use dolmen::{Actor, PortResult, Principal, WriteTx};

use super::UseCases;
use super::make_report::MakeReport;
use crate::domain::{Month, Report, ReportId};

impl UseCases {
    /// Queues a report that a user asks for.
    pub(crate) async fn request_report(&self, principal: &Principal, month: Month) -> PortResult<Report> {
        let actor = principal.actor();
        let database = self.ports.database.tenant(principal.tenant);
        database.write(async |tx| self.queue_report(tx, month, actor).await).await
    }

    pub(super) async fn queue_report(
        &self,
        tx: &mut WriteTx,
        month: Month,
        actor: Actor,
    ) -> PortResult<Report> {
        let id = ReportId::new(self.ports.ids.next());
        let job = self.ports.jobs.enqueue(tx, &MakeReport { report: id }).await?.id();
        let report = Report::queued(id, month, job, self.ports.clock.now());
        self.reports.insert(tx, &report).await?;
        self.ports.audit.record(tx, actor, "reports.request_report", format!("report/{id}")).await?;
        Ok(report)
    }
}
