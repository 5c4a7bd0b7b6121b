//! Rules about reports.

mod month;
mod report;

pub(crate) use month::Month;
pub(crate) use report::{Report, ReportId, ReportStatus, revenue_csv};
