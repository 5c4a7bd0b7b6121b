//! Where the repository's contract is held: on the fake, on SQLite and, with their drivers, on PostgreSQL, as a role that
//! may touch this module's tables only, and on MariaDB when a server is named.

use std::sync::Arc;

use dolmen::Database;
use dolmen_sql::test_database::TestDatabase;
use dolmen_testkit::fakes::MemoryDatabase;

use super::memory::MemoryReports;
use crate::adapters::sql::SqlReports;
use crate::ports::ReportRepository;

/// A database, and the repository that goes with it.
#[derive(Clone)]
pub(super) struct Backend {
    pub(super) database: Database,
    pub(super) reports: Arc<dyn ReportRepository>,
}

/// Runs a test on each backend. PostgreSQL needs a server when its driver is compiled in.
pub(super) async fn on_each(test: impl AsyncFn(&Backend)) {
    let memory = MemoryDatabase::new().database();
    test(&Backend { database: memory, reports: Arc::new(MemoryReports) }).await;
    for place in TestDatabase::on_each().await.unwrap() {
        let database = place.open_as_module(crate::module::MIGRATIONS).await.unwrap();
        test(&Backend { database: database.clone(), reports: Arc::new(SqlReports) }).await;
        place.remove(&database).await;
    }
}
