//! What the application does with reports: one use case per file.

mod find_report;
mod make_report;
mod request_report;
mod start_nightly;

pub(crate) use find_report::{FindReport, FoundReport};
pub(crate) use make_report::MakeReport;
pub(crate) use request_report::RequestReport;
pub(crate) use start_nightly::{RequestNightly, StartNightly, StartNightlyJob};
