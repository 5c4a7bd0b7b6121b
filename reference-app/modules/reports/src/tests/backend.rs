//! Where the repository's contract is held: on the fake, on SQLite and, with their drivers, on PostgreSQL
//! and, when a server is named, on MariaDB.

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
    #[cfg(feature = "sqlite")]
    on(TestDatabase::sqlite(), &test).await;
    #[cfg(feature = "postgres")]
    on(TestDatabase::postgres().await.unwrap(), &test).await;
    #[cfg(feature = "mysql")]
    if TestDatabase::has_mysql() {
        on(TestDatabase::mysql().await.unwrap(), &test).await;
    }
}

#[cfg_attr(
    not(any(feature = "mysql", feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "no driver is compiled in")
)]
async fn on(place: TestDatabase, test: &impl AsyncFn(&Backend)) {
    let database = place.open(&[crate::module::MIGRATIONS]).await.unwrap();
    test(&Backend { database: database.clone(), reports: Arc::new(SqlReports) }).await;
    place.remove(&database).await;
}
