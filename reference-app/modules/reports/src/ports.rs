//! What reports need from outside, besides the object store: a place to keep what was asked for.

use std::fmt;
use std::sync::Arc;

use accounts::api::Accounts;
use async_trait::async_trait;
use dolmen::{
    AuditTrail, Clock, Database, IdGenerator, Jobs, ObjectStore, PortResult, ReadTx, Timestamp, WriteTx,
};
use invoices::api::Invoices;

use crate::domain::{Report, ReportId};

/// Keeps reports of the transaction's tenant.
#[async_trait]
pub(crate) trait ReportRepository: fmt::Debug + Send + Sync + 'static {
    async fn insert(&self, tx: &mut WriteTx, report: &Report) -> PortResult<()>;
    async fn find(&self, tx: &mut ReadTx, id: ReportId) -> PortResult<Option<Report>>;
    async fn set_done(&self, tx: &mut WriteTx, id: ReportId, at: Timestamp) -> PortResult<()>;
}

/// The ports that reports need.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct ReportsPorts {
    /// Where it is kept what was asked for.
    pub database: Database,
    /// Which tenants there are.
    pub accounts: Arc<dyn Accounts>,
    /// What was earned.
    pub invoices: Arc<dyn Invoices>,
    /// Where reports lie.
    pub objects: Arc<dyn ObjectStore>,
    /// Enqueues the making of reports, and knows how far it got.
    pub jobs: Jobs,
    /// Who did what.
    pub audit: AuditTrail,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
}
