//! Reading a report, with the link to its CSV once it is done.

use std::time::Duration;

use dolmen::{PortResult, Principal};

use super::UseCases;
use crate::domain::{Report, ReportId, ReportStatus};

/// How long a link works: long enough for a click, short enough not to be passed around.
const LINK_VALID_FOR: Duration = Duration::from_mins(15);

impl UseCases {
    pub(crate) async fn find_report(
        &self,
        principal: &Principal,
        id: ReportId,
    ) -> PortResult<Option<(Report, ReportStatus)>> {
        let database = self.ports.database.tenant(principal.tenant);
        let found = database.read(async |tx| {
            let Some(report) = self.reports.find(tx, id).await? else { return Ok(None) };
            let status = report.status(self.ports.jobs.state(tx, report.job).await?);
            Ok(Some((report, status)))
        });
        found.await
    }

    /// The link to the CSV of a report that is done.
    pub(crate) async fn download_url(
        &self,
        principal: &Principal,
        report: &Report,
    ) -> PortResult<Option<String>> {
        if report.done_at.is_none() {
            return Ok(None);
        }
        let key = report.object_key(principal.tenant)?;
        Ok(Some(self.ports.objects.link(&key, LINK_VALID_FOR).await?))
    }
}
