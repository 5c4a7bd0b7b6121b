//! A health check that says what it was told.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use dolmen_ports::{HealthCheck, HealthReport};

/// Reports what the test set. A clone is the same check.
#[derive(Debug, Clone)]
pub struct FixedHealth {
    name: &'static str,
    report: Arc<Mutex<HealthReport>>,
}

impl FixedHealth {
    /// A check that reports that it works.
    pub fn new(name: &'static str) -> Self {
        Self { name, report: Arc::new(Mutex::new(HealthReport::ok())) }
    }

    /// Reports this from now on.
    pub fn set(&self, report: HealthReport) {
        *self.report.lock().unwrap_or_else(PoisonError::into_inner) = report;
    }
}

#[async_trait]
impl HealthCheck for FixedHealth {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn check(&self) -> HealthReport {
        self.report.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
