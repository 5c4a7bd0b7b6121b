//! The fake repository: it keeps the contract that the contract tests check.

use async_trait::async_trait;
use dolmen::{ErrorKind, PortError, PortResult, ReadTx, TenantId, Timestamp, WriteTx};
use dolmen_testkit::fakes::MemoryTable;

use crate::domain::{Report, ReportId};
use crate::ports::ReportRepository;

pub(super) const REPORTS: MemoryTable<(TenantId, ReportId), Report> = MemoryTable::new("reports_report");

/// Reports in the fake database.
#[derive(Debug)]
pub(super) struct MemoryReports;

#[async_trait]
impl ReportRepository for MemoryReports {
    async fn insert(&self, tx: &mut WriteTx, report: &Report) -> PortResult<()> {
        let key = (tx.tenant()?, report.id);
        REPORTS.insert(tx, key, report.clone())
    }

    async fn find(&self, tx: &mut ReadTx, id: ReportId) -> PortResult<Option<Report>> {
        let key = (tx.tenant()?, id);
        REPORTS.get(tx, &key)
    }

    async fn set_done(&self, tx: &mut WriteTx, id: ReportId, at: Timestamp) -> PortResult<()> {
        let key = (tx.tenant()?, id);
        let changed = REPORTS.update(tx, &key, |report| report.done_at = Some(at))?;
        changed.ok_or_else(|| PortError::new(ErrorKind::NotFound, "reports", "set it done"))
    }
}
