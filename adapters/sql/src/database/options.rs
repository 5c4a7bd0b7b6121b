//! How a database is used.

use std::time::Duration;

/// Sizes and limits; the defaults suit a service of one process.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use dolmen_sql::SqlOptions;
/// let options = SqlOptions::new().with_max_connections(20).with_acquire_timeout(Duration::from_secs(1));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SqlOptions {
    /// How many connections at most; on SQLite how many readers, beside the one writer. Default 10.
    pub max_connections: u32,
    /// How long to wait for a free connection. Default 2 s.
    pub acquire_timeout: Duration,
    /// How long one statement may take before its connection is closed; not on SQLite. Default 30 s.
    pub statement_timeout: Duration,
    /// How long SQLite waits for another process that writes. Default 5 s.
    pub busy_timeout: Duration,
    /// How long to wait for another process that migrates. Default 60 s.
    pub migration_lock_timeout: Duration,
    /// How long a migration waits for its lock on a table, while whoever uses the table next waits behind it; not on
    /// SQLite, and in whole seconds on the MySQL family. Default 1 s.
    pub table_lock_timeout: Duration,
    /// For how long a migration that did not get its lock is tried again. Default 2 min.
    pub table_lock_patience: Duration,
}

impl SqlOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(2),
            statement_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            migration_lock_timeout: Duration::from_mins(1),
            table_lock_timeout: Duration::from_secs(1),
            table_lock_patience: Duration::from_mins(2),
        }
    }

    /// Another number of connections, at least 1.
    #[must_use]
    pub fn with_max_connections(mut self, max_connections: u32) -> Self {
        self.max_connections = max_connections.max(1);
        self
    }

    /// Another wait for a connection.
    #[must_use]
    pub fn with_acquire_timeout(mut self, acquire_timeout: Duration) -> Self {
        self.acquire_timeout = acquire_timeout;
        self
    }

    /// Another limit of a statement.
    #[must_use]
    pub fn with_statement_timeout(mut self, statement_timeout: Duration) -> Self {
        self.statement_timeout = statement_timeout;
        self
    }

    /// Another wait for a writing process.
    #[must_use]
    pub fn with_busy_timeout(mut self, busy_timeout: Duration) -> Self {
        self.busy_timeout = busy_timeout;
        self
    }

    /// Another wait for a migrating process.
    #[must_use]
    pub fn with_migration_lock_timeout(mut self, migration_lock_timeout: Duration) -> Self {
        self.migration_lock_timeout = migration_lock_timeout;
        self
    }

    /// Another wait of a migration for a table.
    #[must_use]
    pub fn with_table_lock_timeout(mut self, table_lock_timeout: Duration) -> Self {
        self.table_lock_timeout = table_lock_timeout;
        self
    }

    /// Another time to try again for.
    #[must_use]
    pub fn with_table_lock_patience(mut self, table_lock_patience: Duration) -> Self {
        self.table_lock_patience = table_lock_patience;
        self
    }
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self::new()
    }
}
