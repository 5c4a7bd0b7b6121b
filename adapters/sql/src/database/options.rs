//! How a database is used.

use std::time::Duration;

use dolmen_ports::{Metrics, Secret};

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
    /// Read replicas, which [`ReadFrom::Replica`](dolmen_ports::ReadFrom) may read from: the value of `DATABASE_READ_URLS`,
    /// as [`DatabaseUrl::parse_replicas`](crate::DatabaseUrl::parse_replicas) takes it. Default empty: none.
    pub read_urls: Secret<String>,
    /// How far a replica may be behind the primary before it gets no reads any more. Default 10 s.
    pub max_replica_lag: Duration,
    /// How long from one look at the replicas to the next. Default 1 s.
    pub replica_check_interval: Duration,
    /// Where it is counted which reads the primary took in place of a replica, and how far replicas lag. Default nowhere.
    pub metrics: Metrics,
    /// Whether a pooler in transaction mode, such as PgBouncer, stands before PostgreSQL. The parameter `pgbouncer` of a URL
    /// counts more. Default `None`: a connection finds out; a pool that is taken over is believed to have none.
    pub transaction_pooler: Option<bool>,
    /// The same database for migrations: directly, when all else goes through a pooler in transaction mode. Default `None`:
    /// migrations run where all else does.
    pub migration_url: Option<Secret<String>>,
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
            start_timeout: Duration::from_mins(1),
            statement_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(5),
            migration_lock_timeout: Duration::from_mins(1),
            read_urls: Secret::new(String::new()),
            max_replica_lag: Duration::from_secs(10),
            replica_check_interval: Duration::from_secs(1),
            metrics: Metrics::none(),
            transaction_pooler: None,
            migration_url: None,
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

    /// Read replicas; checked by [`SqlDatabase::connect`](crate::SqlDatabase::connect). One that cannot be reached is no
    /// error, then or later: the primary takes its reads.
    #[must_use]
    pub fn with_read_urls(mut self, read_urls: Secret<String>) -> Self {
        self.read_urls = read_urls;
        self
    }

    /// Another limit of a replica's lag.
    #[must_use]
    pub fn with_max_replica_lag(mut self, max_replica_lag: Duration) -> Self {
        self.max_replica_lag = max_replica_lag;
        self
    }

    /// Another time between two looks at the replicas.
    #[must_use]
    pub fn with_replica_check_interval(mut self, replica_check_interval: Duration) -> Self {
        self.replica_check_interval = replica_check_interval;
        self
    }

    /// The same, recording into `metrics`.
    #[must_use]
    pub fn with_metrics(mut self, metrics: Metrics) -> Self {
        self.metrics = metrics;
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
