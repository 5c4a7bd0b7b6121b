//! What people and platforms ask a running process: probes, build, modules, jobs, schedules.

mod catalog;
mod document;
mod heartbeat;
mod readiness;
mod reports;
mod status;
mod tables;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use dolmen_ports::{Database, HealthCheck, JobQueue, PortResult, ReadTx};

pub use document::operations_document;
pub(crate) use heartbeat::Heartbeat;
pub use reports::{
    CheckReport, InfoReport, JobReport, JobsReport, LivenessReport, ModuleReport, ReadinessReport,
    RouteReport, ScheduleReport, SchemaState, StartupReport, SubscriptionReport,
};
pub(crate) use status::{ReadyFlag, Snapshot, Status};

use crate::app::{AppSettings, Phase};
use crate::app_ports::AppPorts;
use crate::registrar::Registration;
use crate::role::Roles;
use crate::schedule::{ScheduleStatus, Schedules};

/// Answers for the management port; cheap to clone. Any web framework can serve it: each answer is a value with a
/// schema, and [`operations_document`] describes them.
#[derive(Clone)]
pub struct Operations(Arc<Inner>);

struct Inner {
    database: Database,
    queue: Arc<dyn JobQueue>,
    settings: AppSettings,
    status: Status,
    heartbeat: Heartbeat,
    checks: Vec<Arc<dyn HealthCheck>>,
    modules: Vec<ModuleReport>,
    kinds: BTreeSet<String>,
    schedules: Schedules,
}

impl Operations {
    pub(crate) fn new(
        ports: &AppPorts,
        settings: AppSettings,
        mut checks: Vec<Arc<dyn HealthCheck>>,
        registrations: &[Registration],
        schedules: Schedules,
    ) -> Self {
        checks.extend(registrations.iter().flat_map(|registration| registration.health.iter().cloned()));
        let kinds = registrations.iter().flat_map(|registration| &registration.jobs);
        Self(Arc::new(Inner {
            database: ports.database().clone(),
            queue: Arc::clone(ports.queue()),
            settings,
            status: Status::new(),
            heartbeat: Heartbeat::new(),
            checks,
            modules: registrations.iter().map(catalog::module).collect(),
            kinds: kinds.map(|job| job.kind.clone()).collect(),
            schedules,
        }))
    }

    pub(crate) fn status(&self) -> &Status {
        &self.0.status
    }

    pub(crate) fn heartbeat(&self) -> &Heartbeat {
        &self.0.heartbeat
    }

    /// Whether the runtime makes progress; for `/livez`. It asks nothing outside of the process, because a restart
    /// mends nothing there.
    pub fn liveness(&self) -> LivenessReport {
        self.0.heartbeat.report()
    }

    /// Whether the process may get work; for `/readyz`. It may when every runner serves, no check is down and the end
    /// has not begun. Each check has its deadline.
    pub async fn readiness(&self) -> ReadinessReport {
        let inner = &*self.0;
        readiness::report(&inner.status, &inner.database, &inner.checks, inner.settings.check_deadline).await
    }

    /// Whether the process was ready once; for `/startupz`.
    pub fn startup(&self) -> StartupReport {
        let snapshot = self.0.status.snapshot();
        StartupReport { started: snapshot.started, phase: snapshot.phase }
    }

    /// Waits until the process is ready. It waits for ever when that never happens, so give it a deadline.
    pub async fn until_ready(&self) {
        self.0.status.wait_for(|snapshot| snapshot.phase == Phase::Ready).await;
    }

    /// Which program this is and how it runs; for `/ops/info`.
    pub fn info(&self) -> InfoReport {
        let snapshot = self.0.status.snapshot();
        let build = &self.0.settings.build;
        let roles = snapshot.roles.iter().flat_map(Roles::iter).map(|role| role.name().to_owned());
        InfoReport {
            name: build.name().to_owned(),
            version: build.version().to_owned(),
            git_sha: build.git_sha().map(str::to_owned),
            environment: self.0.settings.environment,
            roles: roles.collect(),
            phase: snapshot.phase,
            database: self.0.database.backend().to_owned(),
            schema: snapshot.schema,
            started_at: snapshot.started_at,
        }
    }

    /// The modules and what they registered; for `/ops/modules`.
    pub fn modules(&self) -> &[ModuleReport] {
        &self.0.modules
    }

    /// Describes these answers, for whatever serves them.
    pub fn document(&self) -> utoipa::openapi::OpenApi {
        operations_document(&self.0.settings.build)
    }

    /// The queue in numbers; for `/ops/jobs`.
    pub async fn jobs(&self) -> PortResult<JobsReport> {
        let queue = &self.0.queue;
        let kinds = self.0.database.system().read(async |tx: &mut ReadTx| queue.stats(tx).await).await?;
        let unknown = kinds.iter().map(|stats| &stats.kind).filter(|kind| !self.0.kinds.contains(*kind));
        let unknown: BTreeSet<String> = unknown.cloned().collect();
        Ok(JobsReport {
            depth: kinds.iter().map(|stats| stats.ready).sum(),
            oldest_ready_ms: kinds.iter().map(|stats| stats.oldest_ready_ms).max().unwrap_or(0),
            dead: kinds.iter().map(|stats| stats.dead).sum(),
            unknown_kinds: unknown.into_iter().collect(),
            kinds,
        })
    }

    /// The schedules, when each came last and when it comes next; for `/ops/schedules`.
    pub async fn schedules(&self) -> PortResult<Vec<ScheduleStatus>> {
        self.0.schedules.list().await
    }
}

impl fmt::Debug for Operations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operations").field("status", &self.0.status.snapshot()).finish_non_exhaustive()
    }
}
