//! The suite of the metrics recorder: rules `ME-1` and `ME-2`.
//!
//! # Examples
//! How a team runs it for its own recorder, here with the fake in its place:
//! ```no_run
//! use std::{future::ready, process::ExitCode, sync::Arc};
//! use dolmen_ports::{Metric, MetricsRecorder};
//! use dolmen_testkit::conformance::{self, Harness, metrics::MetricsHarness};
//! use dolmen_testkit::fakes::RecordingMetrics;
//! #[derive(Default)] struct Mine { recorder: RecordingMetrics }
//! impl Harness for Mine {}
//! impl MetricsHarness for Mine {
//!     fn recorder(&self) -> Arc<dyn MetricsRecorder> { Arc::new(self.recorder.clone()) }
//!     fn value(&self, metric: &'static Metric, labels: &[&str]) -> Option<f64> { self.recorder.gauge(metric, labels) }
//!     fn dropped(&self) -> u64 { self.recorder.dropped() }
//! }
//! fn main() -> ExitCode { conformance::run(conformance::metrics::cases("mine", || ready(Ok(Mine::default())))) }
//! ```

use std::sync::Arc;

use dolmen_ports::{Metric, MetricKind, MetricsRecorder};

use super::failure::{CaseResult, ensure_eq};
use super::harness::Harness;
use super::suite::{Suite, add_cases, cases_of};

/// Gives the metrics suite a recorder, and reads back what it recorded.
pub trait MetricsHarness: Harness {
    /// The recorder.
    fn recorder(&self) -> Arc<dyn MetricsRecorder>;

    /// The sum of a counter, the value of a gauge, or the number of observations of a histogram; none when nothing was
    /// recorded under these labels.
    fn value(&self, metric: &'static Metric, labels: &[&str]) -> Option<f64>;

    /// How many measurements were dropped.
    fn dropped(&self) -> u64;
}

cases_of!(dyn MetricsHarness, suite());

pub(super) fn suite() -> Suite<dyn MetricsHarness> {
    add_cases!(Suite::new("metrics"),
        "ME-1": counters_add_up_per_labels,
        "ME-1": gauges_keep_the_last_value_and_histograms_count,
        "ME-1": odd_values_are_survived,
        "ME-2": a_wrong_number_of_labels_is_dropped_and_counted,
    )
}

type H = Arc<dyn MetricsHarness>;

static COUNTER: Metric = Metric {
    name: "suite_orders",
    help: "Orders by outcome",
    unit: "",
    labels: &["outcome", "channel"],
    kind: MetricKind::Counter,
};
static GAUGE: Metric =
    Metric { name: "suite_depth", help: "Jobs that wait", unit: "", labels: &[], kind: MetricKind::Gauge };
static HISTOGRAM: Metric = Metric {
    name: "suite_duration_seconds",
    help: "How long it took",
    unit: "seconds",
    labels: &["route"],
    kind: MetricKind::Histogram(&[0.1, 1.0]),
};

async fn counters_add_up_per_labels(harness: H) -> CaseResult {
    let recorder = harness.recorder();
    for (labels, amount) in [(["ok", "web"], 1), (["ok", "web"], 2), (["web", "ok"], 4), (["ok", "api"], 0)] {
        recorder.add(&COUNTER, &labels, amount);
    }
    ensure_eq!(harness.value(&COUNTER, &["ok", "web"]), Some(3.0), "the sum of two");
    ensure_eq!(harness.value(&COUNTER, &["web", "ok"]), Some(4.0), "the sum of labels in another order");
    ensure_eq!(harness.value(&COUNTER, &["ok", "mail"]), None, "labels that were never recorded");
    ensure_eq!(harness.dropped(), 0, "dropped measurements");
    Ok(())
}

async fn gauges_keep_the_last_value_and_histograms_count(harness: H) -> CaseResult {
    let recorder = harness.recorder();
    for value in [5.0, -2.5] {
        recorder.set(&GAUGE, &[], value);
    }
    for value in [0.0, 0.5, 1_000.0] {
        recorder.observe(&HISTOGRAM, &["/v1/orders"], value);
    }
    ensure_eq!(harness.value(&GAUGE, &[]), Some(-2.5), "the gauge");
    ensure_eq!(harness.value(&HISTOGRAM, &["/v1/orders"]), Some(3.0), "observations");
    Ok(())
}

async fn odd_values_are_survived(harness: H) -> CaseResult {
    let recorder = harness.recorder();
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, -0.0] {
        recorder.set(&GAUGE, &[], value);
        recorder.observe(&HISTOGRAM, &["odd"], value);
    }
    for label in ["", "\"quoted\"\n\\", "🪨", &"l".repeat(10_000)] {
        recorder.add(&COUNTER, &[label, label], u64::MAX);
        recorder.add(&COUNTER, &[label, label], u64::MAX);
    }
    recorder.set(&GAUGE, &[], 1.0);
    ensure_eq!(harness.value(&GAUGE, &[]), Some(1.0), "the gauge after odd values");
    Ok(())
}

async fn a_wrong_number_of_labels_is_dropped_and_counted(harness: H) -> CaseResult {
    let recorder = harness.recorder();
    recorder.add(&COUNTER, &["ok"], 1);
    recorder.add(&COUNTER, &["ok", "web", "more"], 1);
    recorder.set(&GAUGE, &["more"], 1.0);
    recorder.observe(&HISTOGRAM, &[], 1.0);
    ensure_eq!(harness.dropped(), 4, "dropped measurements");
    ensure_eq!(harness.value(&COUNTER, &["ok", "web"]), None, "the counter");
    ensure_eq!(harness.value(&GAUGE, &[]), None, "the gauge");
    Ok(())
}
