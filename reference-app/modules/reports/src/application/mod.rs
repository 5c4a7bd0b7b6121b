//! What the application does with reports: one use case per file.

mod find_report;
mod make_report;
mod request_report;
mod start_nightly;

use std::sync::Arc;

pub(crate) use make_report::MakeReport;
pub(crate) use start_nightly::{RequestNightly, StartNightly};

use crate::ports::{ReportRepository, ReportsPorts};

/// The use cases and what they work with.
#[derive(Debug)]
pub(crate) struct UseCases {
    pub(crate) ports: ReportsPorts,
    pub(crate) reports: Arc<dyn ReportRepository>,
}
