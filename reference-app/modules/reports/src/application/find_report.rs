//! Reading a report, with the link to its CSV once it is done.

use std::sync::Arc;
use std::time::Duration;

use dolmen::{Database, ObjectStore, PortResult, Principal};

use crate::domain::{Report, ReportId, ReportStatus};
use crate::ports::ReportRepository;

/// How long a link works: long enough for a click, short enough not to be passed around.
const LINK_VALID_FOR: Duration = Duration::from_mins(15);

/// A report, and its link when it is done.
pub(crate) struct FoundReport {
    pub(crate) report: Report,
    pub(crate) download_url: Option<String>,
}

/// Finds one report.
pub(crate) struct FindReport {
    pub(crate) database: Database,
    pub(crate) reports: Arc<dyn ReportRepository>,
    pub(crate) objects: Arc<dyn ObjectStore>,
}

impl FindReport {
    pub(crate) async fn run(&self, principal: &Principal, id: ReportId) -> PortResult<Option<FoundReport>> {
        let database = self.database.tenant(principal.tenant);
        let found: PortResult<Option<Report>> =
            database.read(async |tx| self.reports.find(tx, id).await).await;
        let Some(report) = found? else { return Ok(None) };
        let download_url = match report.status {
            ReportStatus::Done => {
                Some(self.objects.link(&report.object_key(principal.tenant)?, LINK_VALID_FOR).await?)
            }
            ReportStatus::Queued | ReportStatus::Running | ReportStatus::Failed => None,
        };
        Ok(Some(FoundReport { report, download_url }))
    }
}
