//! The table of contents of this module.

use std::sync::Arc;

use accounts::api::Accounts;
use dolmen::{
    AuditLog, Clock, Cron, Database, IdGenerator, Jobs, MigrationSet, Module, ModuleName, ObjectStore,
    Registrar, migrations,
};
use dolmen_poem::ApiExt;
use invoices::api::Invoices;

use crate::adapters::http::ReportsHttp;
use crate::adapters::sql::SqlReports;
use crate::application::{
    FindReport, MakeReport, RequestNightly, RequestReport, StartNightly, StartNightlyJob,
};
use crate::ports::ReportRepository;

const NAME: ModuleName = ModuleName::new("reports");
const REQUIRES: &[ModuleName] = &[ModuleName::new("accounts"), ModuleName::new("invoices")];
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_reports");

/// The ports that reports need.
#[derive(Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by the wiring")]
pub struct ReportsPorts {
    /// Where it is kept what was asked for.
    pub database: Database,
    /// Which tenants there are.
    pub accounts: Arc<dyn Accounts>,
    /// What was earned.
    pub invoices: Arc<dyn Invoices>,
    /// Where reports lie.
    pub objects: Arc<dyn ObjectStore>,
    /// Enqueues the making of reports.
    pub jobs: Jobs,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub ids: Arc<dyn IdGenerator>,
}

/// Reports as a module.
pub struct ReportsModule {
    ports: ReportsPorts,
    reports: Arc<dyn ReportRepository>,
}

impl ReportsModule {
    /// Reports on these ports.
    pub fn new(mut ports: ReportsPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { ports, reports: Arc::new(SqlReports) }
    }

    fn request(&self) -> RequestReport {
        let ReportsPorts { database, jobs, audit, clock, ids, .. } = self.ports.clone();
        RequestReport { database, reports: Arc::clone(&self.reports), jobs, audit, clock, ids }
    }

    fn http(&self) -> ReportsHttp {
        let ReportsPorts { database, objects, .. } = self.ports.clone();
        ReportsHttp {
            request: self.request(),
            find: FindReport { database, reports: Arc::clone(&self.reports), objects },
        }
    }

    fn make_report(&self) -> MakeReport {
        let ReportsPorts { database, invoices, objects, .. } = self.ports.clone();
        MakeReport { database, reports: Arc::clone(&self.reports), invoices, objects }
    }

    fn start_nightly(&self) -> StartNightly {
        StartNightly { accounts: Arc::clone(&self.ports.accounts), jobs: self.ports.jobs.clone() }
    }
}

impl Module for ReportsModule {
    fn name(&self) -> ModuleName {
        NAME
    }

    fn requires(&self) -> &'static [ModuleName] {
        REQUIRES
    }

    fn migrations(&self) -> MigrationSet {
        MIGRATIONS
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.api(self.http());
        registrar.job(self.make_report());
        registrar.job(self.start_nightly());
        registrar.job(RequestNightly { request: self.request() });
        registrar.schedule("nightly", Cron::new("15 2 * * *"), |tick| StartNightlyJob { tick });
    }
}
