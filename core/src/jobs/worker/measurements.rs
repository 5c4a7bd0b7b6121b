//! The numbers that a worker records.

use dolmen_ports::{Metric, MetricKind};

const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Attempts that ended, by kind and by what became of the job (see `JobOutcome`).
pub(super) static FINISHED: Metric = Metric {
    name: "dolmen_jobs_finished",
    help: "Attempts of jobs that ended, by outcome",
    unit: "",
    labels: &["kind", "outcome"],
    kind: MetricKind::Counter,
};

/// How long handlers ran, whatever they returned.
pub(super) static RUN_SECONDS: Metric = Metric {
    name: "dolmen_jobs_run_seconds",
    help: "Time that attempts of jobs took",
    unit: "seconds",
    labels: &["kind"],
    kind: MetricKind::Histogram(SECONDS),
};

/// How long jobs waited between being due and being claimed: the number to scale by.
pub(super) static WAIT_SECONDS: Metric = Metric {
    name: "dolmen_jobs_wait_seconds",
    help: "Time between a job being due and its start",
    unit: "seconds",
    labels: &["kind"],
    kind: MetricKind::Histogram(SECONDS),
};

/// Attempts that lost their lease: a worker that was stopped, starved or cut off for longer than the lease.
pub(super) static LEASE_LOST: Metric = Metric {
    name: "dolmen_jobs_lease_lost",
    help: "Attempts of jobs that lost their lease and changed nothing",
    unit: "",
    labels: &["kind"],
    kind: MetricKind::Counter,
};

/// Jobs that this process holds now.
pub(super) static IN_FLIGHT: Metric = Metric {
    name: "dolmen_jobs_in_flight",
    help: "Jobs that this process holds",
    unit: "",
    labels: &[],
    kind: MetricKind::Gauge,
};

/// Handlers that kept a thread of the async runtime for longer than a second: blocking code in async clothing.
pub(super) static STALLED: Metric = Metric {
    name: "dolmen_jobs_stalled",
    help: "Attempts of jobs that blocked a thread of the runtime for more than a second",
    unit: "",
    labels: &["kind"],
    kind: MetricKind::Counter,
};

/// Jobs whose lease ran out, by what became of them: `requeued` or `buried`.
pub(super) static RESCUED: Metric = Metric {
    name: "dolmen_jobs_rescued",
    help: "Jobs whose lease ran out",
    unit: "",
    labels: &["result"],
    kind: MetricKind::Counter,
};

/// How long the oldest transaction has been open that keeps dead rows from being removed; on PostgreSQL.
pub(super) static OLDEST_SNAPSHOT: Metric = Metric {
    name: "dolmen_database_oldest_snapshot_seconds",
    help: "Age of the oldest transaction, which keeps the database from removing dead rows",
    unit: "seconds",
    labels: &[],
    kind: MetricKind::Gauge,
};

/// Due jobs of kinds that this program does not know, older than five minutes.
pub(super) static UNCLAIMABLE: Metric = Metric {
    name: "dolmen_jobs_unclaimable",
    help: "Due jobs of kinds that this process does not know and that nobody took for five minutes",
    unit: "",
    labels: &[],
    kind: MetricKind::Gauge,
};
