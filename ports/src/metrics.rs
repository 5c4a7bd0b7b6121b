//! Numbers that a monitoring system reads.

use std::fmt;
use std::sync::Arc;

/// What kind of number a metric is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum MetricKind {
    /// Only goes up. Its name ends in `_total` where it is exposed, not here.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations in buckets; the upper bounds ascend.
    Histogram(&'static [f64]),
}

/// A metric: its name, what it means and which labels it has. Declared once, as a `static`.
///
/// # Examples
/// ```
/// use dolmen_ports::{Metric, MetricKind, Metrics};
/// static SIGN_INS: Metric = Metric {
///     name: "accounts_sign_in", help: "Sign-ins by outcome", unit: "", labels: &["outcome"], kind: MetricKind::Counter,
/// };
/// Metrics::none().add(&SIGN_INS, &["success"], 1);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "declared as a static by its users")]
pub struct Metric {
    /// `<area>_<what>_<unit>`; letters, digits and `_`.
    pub name: &'static str,
    /// One sentence.
    pub help: &'static str,
    /// The base unit, such as `seconds` or `bytes`; empty for a pure count.
    pub unit: &'static str,
    /// The label names. Values come from small closed sets, never from ids or user input.
    pub labels: &'static [&'static str],
    /// Counter, gauge or histogram.
    pub kind: MetricKind,
}

/// Receives measurements.
///
/// # Contract
/// - `ME-1` Recording never blocks, never fails and never panics, whatever the values.
/// - `ME-2` Label values come in the order of the metric's label names; a wrong number of them is dropped and counted,
///   not recorded under a wrong name.
pub trait MetricsRecorder: fmt::Debug + Send + Sync + 'static {
    /// Adds to a counter.
    fn add(&self, metric: &'static Metric, labels: &[&str], amount: u64);
    /// Sets a gauge.
    fn set(&self, metric: &'static Metric, labels: &[&str], value: f64);
    /// Counts an observation in a histogram.
    fn observe(&self, metric: &'static Metric, labels: &[&str], value: f64);
}

/// The handle through which code records; cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<dyn MetricsRecorder>);

impl Metrics {
    /// Records into `recorder`.
    pub fn new(recorder: impl MetricsRecorder) -> Self {
        Self(Arc::new(recorder))
    }

    /// Records nothing.
    pub fn none() -> Self {
        Self(Arc::new(NoMetrics))
    }

    /// Adds to a counter.
    pub fn add(&self, metric: &'static Metric, labels: &[&str], amount: u64) {
        self.0.add(metric, labels, amount);
    }

    /// Sets a gauge.
    pub fn set(&self, metric: &'static Metric, labels: &[&str], value: f64) {
        self.0.set(metric, labels, value);
    }

    /// Counts an observation in a histogram.
    pub fn observe(&self, metric: &'static Metric, labels: &[&str], value: f64) {
        self.0.observe(metric, labels, value);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::none()
    }
}

/// Drops every measurement.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoMetrics;

impl MetricsRecorder for NoMetrics {
    fn add(&self, _: &'static Metric, _: &[&str], _: u64) {}
    fn set(&self, _: &'static Metric, _: &[&str], _: f64) {}
    fn observe(&self, _: &'static Metric, _: &[&str], _: f64) {}
}
