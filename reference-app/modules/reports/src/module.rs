//! The table of contents of this module.

use std::sync::Arc;

use dolmen::{Cron, MigrationSet, Module, ModuleName, Registrar, migrations};
use dolmen_poem::ApiExt;

use crate::adapters::http::ReportsHttp;
use crate::adapters::sql::SqlReports;
use crate::application::{MakeReport, RequestNightly, StartNightly, UseCases};
pub use crate::ports::ReportsPorts;

const NAME: ModuleName = ModuleName::new("reports");
pub(crate) const MIGRATIONS: MigrationSet = migrations!(NAME, "0001_reports");

/// Reports as a module.
#[derive(Debug)]
pub struct ReportsModule {
    pub(crate) use_cases: Arc<UseCases>,
}

impl ReportsModule {
    /// Reports on these ports.
    pub fn new(mut ports: ReportsPorts) -> Self {
        ports.database = ports.database.for_module(NAME);
        Self { use_cases: Arc::new(UseCases { ports, reports: Arc::new(SqlReports) }) }
    }
}

impl Module for ReportsModule {
    fn name(&self) -> ModuleName {
        NAME
    }

    fn requires(&self) -> &'static [ModuleName] {
        const { &[ModuleName::new("accounts"), ModuleName::new("invoices")] }
    }

    fn migrations(&self) -> MigrationSet {
        MIGRATIONS
    }

    fn register(&self, registrar: &mut Registrar<'_>) {
        registrar.api(ReportsHttp(Arc::clone(&self.use_cases)));
        registrar.job::<MakeReport>(Arc::clone(&self.use_cases));
        registrar.job::<StartNightly>(Arc::clone(&self.use_cases));
        registrar.job::<RequestNightly>(Arc::clone(&self.use_cases));
        registrar.schedule("nightly", Cron::new("15 2 * * *"), |tick| StartNightly { tick });
    }
}
