//! Reports: revenue by month, on demand and every night.
//!
//! Owns the table `reports_report`, and the objects under `reports/`.

mod adapters;
mod application;
mod domain;
mod module;
mod ports;
#[cfg(test)]
mod tests;

pub use module::{ReportsModule, ReportsPorts};
