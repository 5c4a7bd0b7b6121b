//! Is it well: checks that probes ask.

use std::fmt;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "probes map each state to an answer")]
pub enum HealthState {
    /// It works.
    Ok,
    /// It works in part, or slowly; keep sending requests.
    Degraded,
    /// It does not work; send requests elsewhere.
    Down,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[non_exhaustive]
pub struct HealthReport {
    /// How well it is.
    pub state: HealthState,
    /// Why, in words, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl HealthReport {
    /// It works.
    pub const fn ok() -> Self {
        Self { state: HealthState::Ok, detail: None }
    }

    /// It works in part.
    pub fn degraded(detail: impl Into<String>) -> Self {
        Self { state: HealthState::Degraded, detail: Some(detail.into()) }
    }

    /// It does not work.
    pub fn down(detail: impl Into<String>) -> Self {
        Self { state: HealthState::Down, detail: Some(detail.into()) }
    }
}

/// Checks one thing that the program needs to serve requests or run jobs.
///
/// # Contract
/// - `HC-1` `check` answers or is given up after the caller's deadline; dropping it leaks nothing.
#[async_trait]
pub trait HealthCheck: fmt::Debug + Send + Sync + 'static {
    /// What is checked, such as `database`.
    fn name(&self) -> &'static str;
    /// Checks it now.
    async fn check(&self) -> HealthReport;
}
