//! How a database is used.

use std::time::Duration;

use dolmen_ports::Secret;

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
    /// How long to wait, when the database is opened, for a server that has no connection left. Default 60 s.
    pub start_timeout: Duration,
    /// How long one statement may take before its connection is closed; not on SQLite. Default 30 s.
    pub statement_timeout: Duration,
    /// How long a statement waits for a lock that another transaction holds, and on SQLite for another process that writes;
    /// then it is `Contention`, and `write` runs the unit of work again. Through a pooler the server's own setting holds.
    /// Default 5 s.
    pub busy_timeout: Duration,
    /// How long to wait for another process that migrates. Default 60 s.
    pub migration_lock_timeout: Duration,
    /// Whether a pooler in transaction mode, such as PgBouncer, stands before PostgreSQL. The parameter `pgbouncer` of a URL
    /// counts more. Default `None`: a connection finds out; a pool that is taken over is believed to have none.
    pub transaction_pooler: Option<bool>,
    /// The same database for migrations: directly, when all else goes through a pooler in transaction mode. Default `None`:
    /// migrations run where all else does.
    pub migration_url: Option<Secret<String>>,
}

impl SqlOptions {
    /// The defaults.
    pub fn new() -> Self {
        Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(2),
            start_timeout: Duration::from_mins(1),
            statement_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            migration_lock_timeout: Duration::from_mins(1),
            transaction_pooler: None,
            migration_url: None,
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

    /// Another wait for a server that is full at the start.
    #[must_use]
    pub fn with_start_timeout(mut self, start_timeout: Duration) -> Self {
        self.start_timeout = start_timeout;
        self
    }

    /// Another limit of a statement.
    #[must_use]
    pub fn with_statement_timeout(mut self, statement_timeout: Duration) -> Self {
        self.statement_timeout = statement_timeout;
        self
    }

    /// Another wait for a lock.
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

    /// Says whether a pooler in transaction mode stands before PostgreSQL, rather than finding it out.
    #[must_use]
    pub fn with_transaction_pooler(mut self, transaction_pooler: bool) -> Self {
        self.transaction_pooler = Some(transaction_pooler);
        self
    }

    /// Another URL for migrations; checked by [`SqlDatabase::connect`](crate::SqlDatabase::connect).
    #[must_use]
    pub fn with_migration_url(mut self, migration_url: Secret<String>) -> Self {
        self.migration_url = Some(migration_url);
        self
    }
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self::new()
    }
}
