//! Asking for a report: a row and a job, in one transaction.

use std::sync::Arc;

use dolmen::{
    Actor, AuditEntry, AuditLog, Clock, Database, IdGenerator, Jobs, PortResult, Principal, WriteTx,
};

use super::make_report::MakeReportJob;
use crate::domain::{Month, Report, ReportId};
use crate::ports::ReportRepository;

/// Queues a report. A user asks for one at a time; the nightly schedule asks for every tenant.
#[derive(Clone)]
pub(crate) struct RequestReport {
    pub(crate) database: Database,
    pub(crate) reports: Arc<dyn ReportRepository>,
    pub(crate) jobs: Jobs,
    pub(crate) audit: Arc<dyn AuditLog>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) ids: Arc<dyn IdGenerator>,
}

impl RequestReport {
    pub(crate) async fn run(&self, principal: &Principal, month: Month) -> PortResult<Report> {
        let report = self.report(month);
        let actor = Actor::User(principal.user);
        self.database.tenant(principal.tenant).write(async |tx| self.queue(tx, &report, actor).await).await?;
        Ok(report)
    }

    pub(super) fn report(&self, month: Month) -> Report {
        Report::queued(ReportId::new(self.ids.next()), month, self.clock.now())
    }

    pub(super) async fn queue(&self, tx: &mut WriteTx, report: &Report, actor: Actor) -> PortResult<()> {
        self.reports.insert(tx, report).await?;
        self.jobs.enqueue(tx, &MakeReportJob { report: report.id }).await?;
        let target = format!("report/{}", report.id);
        let entry =
            AuditEntry::new(self.ids.next(), report.created_at, actor, "reports.request_report", target);
        self.audit.record(tx, &entry).await
    }
}
