//! A report: queued → running → done or failed; queued again after an attempt that did not work out.

use std::fmt::Write;

use dolmen::{JobId, JobState, ObjectKey, PortResult, TenantId, Timestamp};
use invoices::api::Revenue;

use super::month::Month;

dolmen::define_id! {
    /// Identifies a report.
    pub(crate) struct ReportId;
}

/// Where a report is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReportStatus {
    Queued,
    Running,
    Done,
    Failed,
}

/// A revenue report of one tenant and month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) id: ReportId,
    pub(crate) month: Month,
    /// The job that makes it.
    pub(crate) job: JobId,
    pub(crate) created_at: Timestamp,
    pub(crate) done_at: Option<Timestamp>,
}

impl Report {
    /// A report that waits for its job.
    pub(crate) fn queued(id: ReportId, month: Month, job: JobId, now: Timestamp) -> Self {
        Self { id, month, job, created_at: now, done_at: None }
    }

    /// Where it is in its life, which its job knows: a job can die where nothing of ours can write that down.
    pub(crate) fn status(&self, job: Option<JobState>) -> ReportStatus {
        match job {
            _ if self.done_at.is_some() => ReportStatus::Done,
            Some(JobState::Ready) => ReportStatus::Queued,
            // Done: in the moment between the look at the report and the look at its job.
            Some(JobState::Running | JobState::Done) => ReportStatus::Running,
            _ => ReportStatus::Failed,
        }
    }

    /// Where its CSV lies. The tenant is part of the key, so that no tenant's object can be another's.
    pub(crate) fn object_key(&self, tenant: TenantId) -> PortResult<ObjectKey> {
        ObjectKey::parse(&format!("reports/{tenant}/{}.csv", self.id))
    }
}

/// The report as CSV (RFC 4180). No value needs quotes: a month, a currency code and numbers.
pub(crate) fn revenue_csv(month: Month, revenue: &[Revenue]) -> String {
    let mut csv = String::from("month,currency,invoices,total_minor\r\n");
    for row in revenue {
        // Writing to a String cannot fail.
        let _ = write!(csv, "{month},{},{},{}\r\n", row.currency, row.invoices, row.total_minor);
    }
    csv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_has_a_row_per_currency() {
        let revenue = [Revenue::new("EUR", 2, 300), Revenue::new("USD", 1, 5)];
        let csv = revenue_csv(Month::parse("2026-10").unwrap(), &revenue);
        assert_eq!(csv, "month,currency,invoices,total_minor\r\n2026-10,EUR,2,300\r\n2026-10,USD,1,5\r\n");
    }
}
