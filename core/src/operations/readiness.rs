//! Whether the process may get work: its own state, then every check with a deadline.

use std::sync::Arc;
use std::time::Duration;

use dolmen_ports::{Database, HealthCheck, HealthReport, HealthState};
use futures_util::future::join_all;
use tokio::time::Instant;

use super::reports::{CheckReport, ReadinessReport, SchemaState};
use super::status::{Snapshot, Status};
use crate::app::Phase;

const DATABASE: &str = "database";

pub(super) async fn report(
    status: &Status,
    database: &Database,
    checks: &[Arc<dyn HealthCheck>],
    deadline: Duration,
) -> ReadinessReport {
    let snapshot = status.snapshot();
    let mut reports = own_checks(&snapshot);
    let asked = checks.iter().map(|check| timed(check.name(), deadline, check.check()));
    // An adapter's own check of the database knows more than a ping.
    if checks.iter().any(|check| check.name() == DATABASE) {
        reports.extend(join_all(asked).await);
    } else {
        let (database, others) = tokio::join!(timed(DATABASE, deadline, ping(database)), join_all(asked));
        reports.push(database);
        reports.extend(others);
    }
    // The end may have begun while the checks ran.
    let phase = status.snapshot().phase;
    let well = reports.iter().all(|report| report.state != HealthState::Down);
    ReadinessReport { ready: phase == Phase::Ready && well, phase, checks: reports }
}

async fn ping(database: &Database) -> HealthReport {
    match database.ping().await {
        Ok(()) => HealthReport::ok(),
        Err(error) => HealthReport::down(error.to_string()),
    }
}

async fn timed(
    name: &'static str,
    deadline: Duration,
    check: impl Future<Output = HealthReport>,
) -> CheckReport {
    let start = Instant::now();
    let report = tokio::time::timeout(deadline, check)
        .await
        .unwrap_or_else(|_| HealthReport::down(format!("no answer within {} ms", deadline.as_millis())));
    CheckReport {
        name: name.to_owned(),
        state: report.state,
        detail: report.detail,
        took_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}

fn own_checks(snapshot: &Snapshot) -> Vec<CheckReport> {
    let schema = match &snapshot.schema {
        SchemaState::UpToDate => HealthReport::ok(),
        SchemaState::Unknown => HealthReport::down("not checked yet"),
        SchemaState::Pending { reason, .. }
        | SchemaState::Incompatible { reason }
        | SchemaState::Unavailable { reason } => HealthReport::down(reason.clone()),
    };
    let runners = snapshot.runners.iter().map(|runner| {
        let report = if runner.ready { HealthReport::ok() } else { HealthReport::down("does not serve yet") };
        instant(format!("runner {}", runner.name), report)
    });
    std::iter::once(instant("schema".to_owned(), schema)).chain(runners).collect()
}

fn instant(name: String, report: HealthReport) -> CheckReport {
    CheckReport { name, state: report.state, detail: report.detail, took_ms: 0 }
}
