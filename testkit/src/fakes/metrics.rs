//! A recorder that remembers what was recorded.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dolmen_ports::{Metric, MetricKind, Metrics, MetricsRecorder};

type Series = (&'static str, Vec<String>);

/// Remembers measurements. A clone is the same recorder.
///
/// # Examples
/// ```
/// use dolmen_ports::{Metric, MetricKind};
/// use dolmen_testkit::fakes::RecordingMetrics;
/// static SIGN_INS: Metric = Metric {
///     name: "accounts_sign_in", help: "Sign-ins by outcome", unit: "", labels: &["outcome"], kind: MetricKind::Counter,
/// };
/// let recorder = RecordingMetrics::new();
/// recorder.metrics().add(&SIGN_INS, &["success"], 2);
/// assert_eq!(recorder.counter(&SIGN_INS, &["success"]), 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct RecordingMetrics {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    counters: BTreeMap<Series, u64>,
    gauges: BTreeMap<Series, f64>,
    observations: BTreeMap<Series, Vec<f64>>,
    dropped: u64,
}

impl State {
    /// The series of a measurement, or nothing when it breaks a rule; then it is counted as dropped.
    fn series(&mut self, metric: &'static Metric, labels: &[&str], is_of_kind: bool) -> Option<Series> {
        if labels.len() == metric.labels.len() && is_of_kind {
            return Some(series(metric, labels));
        }
        self.dropped += 1;
        None
    }
}

fn series(metric: &'static Metric, labels: &[&str]) -> Series {
    (metric.name, labels.iter().map(|&label| label.to_owned()).collect())
}

impl RecordingMetrics {
    /// A recorder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The handle that code under test records through.
    pub fn metrics(&self) -> Metrics {
        Metrics::new(self.clone())
    }

    /// The sum of a counter; 0 when nothing was added.
    pub fn counter(&self, metric: &'static Metric, labels: &[&str]) -> u64 {
        self.state().counters.get(&series(metric, labels)).copied().unwrap_or(0)
    }

    /// The last value of a gauge.
    pub fn gauge(&self, metric: &'static Metric, labels: &[&str]) -> Option<f64> {
        self.state().gauges.get(&series(metric, labels)).copied()
    }

    /// All observations of a histogram, in their order.
    pub fn observations(&self, metric: &'static Metric, labels: &[&str]) -> Vec<f64> {
        self.state().observations.get(&series(metric, labels)).cloned().unwrap_or_default()
    }

    /// How many measurements were dropped because they broke a rule.
    pub fn dropped(&self) -> u64 {
        self.state().dropped
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetricsRecorder for RecordingMetrics {
    fn add(&self, metric: &'static Metric, labels: &[&str], amount: u64) {
        let mut state = self.state();
        if let Some(series) = state.series(metric, labels, metric.kind == MetricKind::Counter) {
            let sum = state.counters.entry(series).or_default();
            *sum = sum.saturating_add(amount);
        }
    }

    fn set(&self, metric: &'static Metric, labels: &[&str], value: f64) {
        let mut state = self.state();
        if let Some(series) = state.series(metric, labels, metric.kind == MetricKind::Gauge) {
            state.gauges.insert(series, value);
        }
    }

    fn observe(&self, metric: &'static Metric, labels: &[&str], value: f64) {
        let mut state = self.state();
        if let Some(series) = state.series(metric, labels, matches!(metric.kind, MetricKind::Histogram(_))) {
            state.observations.entry(series).or_default().push(value);
        }
    }
}
