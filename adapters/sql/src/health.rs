//! Is the database there.

use async_trait::async_trait;
use dolmen_ports::{DatabaseDriver, HealthCheck, HealthReport};

use crate::database::SqlDatabase;

/// Asks the database for a sign of life.
#[derive(Debug, Clone)]
pub struct SqlHealth {
    database: SqlDatabase,
}

impl SqlHealth {
    /// A check of a database.
    pub fn new(database: &SqlDatabase) -> Self {
        Self { database: database.clone() }
    }
}

#[async_trait]
impl HealthCheck for SqlHealth {
    fn name(&self) -> &'static str {
        "database"
    }

    async fn check(&self) -> HealthReport {
        match self.database.ping().await {
            Ok(()) => HealthReport::ok(),
            // Without its source, which may name hosts and files.
            Err(error) => HealthReport::down(error.to_string()),
        }
    }
}
