//! The suite of the database: rules `DB-1` to `DB-14`.
//!
//! The suite knows no SQL. The harness offers a few operations on a scratch table, written as the adapter's users write
//! theirs. Each case gets a database, or a schema, of its own.
//!
//! # Examples
//! How a team runs it for its own adapter:
//! ```text
//! struct Mine { database: Database, files: TempDir }
//! impl Mine {
//!     async fn fresh() -> Result<Self, BoxError> { .. }                // an empty database with the scratch tables
//! }
//! impl Harness for Mine {}
//! impl TransactionHarness for Mine { fn database(&self) -> &Database { &self.database } }
//! #[async_trait] impl DatabaseHarness for Mine { .. }                  // ten statements on the scratch tables
//! fn main() -> ExitCode {
//!     conformance::run(conformance::database::cases("mine", DatabaseCapabilities::all(), Mine::fresh))
//! }
//! ```

mod commit;
mod handle;
mod isolation;
mod migrations;
mod replica;
mod scratch;
mod values;

use std::sync::Arc;

use dolmen_ports::BoxError;
pub use scratch::{DatabaseHarness, ScratchRow};

use super::case::Case;
use super::suite::Suite;

/// What a database can do beyond its contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DatabaseCapabilities {
    /// It refuses a row whose parent is not there.
    pub foreign_keys: bool,
    /// Its migrations run SQL.
    pub sql_migrations: bool,
}

impl DatabaseCapabilities {
    /// It can do everything.
    pub const fn all() -> Self {
        Self { foreign_keys: true, sql_migrations: true }
    }

    /// The same, without foreign keys.
    #[must_use]
    pub const fn without_foreign_keys(mut self) -> Self {
        self.foreign_keys = false;
        self
    }

    /// The same, with migrations that are only recorded.
    #[must_use]
    pub const fn without_sql_migrations(mut self) -> Self {
        self.sql_migrations = false;
        self
    }
}

type DatabaseSuite = Suite<dyn DatabaseHarness>;

/// The cases of the suite.
pub fn cases<H, F, Fut>(label: &str, capabilities: DatabaseCapabilities, fresh: F) -> Vec<Case>
where
    H: DatabaseHarness,
    F: Fn() -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<H, BoxError>> + Send + 'static,
{
    suite(capabilities).cases(label, move || {
        let harness = fresh();
        async { harness.await.map(|harness| Arc::new(harness) as Arc<dyn DatabaseHarness>) }
    })
}

pub(super) fn suite(capabilities: DatabaseCapabilities) -> DatabaseSuite {
    let suite = replica::add(isolation::add(commit::add(Suite::new("database"))));
    let suite = values::add(handle::add(suite), capabilities);
    migrations::add(suite, capabilities)
}
