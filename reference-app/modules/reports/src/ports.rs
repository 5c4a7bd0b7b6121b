//! What reports need from outside, besides the object store: a place to keep what was asked for.

use async_trait::async_trait;
use dolmen::{PortResult, ReadTx, WriteTx};

use crate::domain::{Report, ReportId, ReportStatus};

/// Keeps reports of the transaction's tenant.
#[async_trait]
pub(crate) trait ReportRepository: Send + Sync + 'static {
    async fn insert(&self, tx: &mut WriteTx, report: &Report) -> PortResult<()>;
    async fn find(&self, tx: &mut ReadTx, id: ReportId) -> PortResult<Option<Report>>;
    async fn set_status(&self, tx: &mut WriteTx, id: ReportId, status: ReportStatus) -> PortResult<()>;
}
