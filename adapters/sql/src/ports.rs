//! The ports of a database, as an application takes them.

use std::sync::Arc;

use dolmen_ports::{Database, Stores};

use crate::{MIGRATIONS, SqlAuditLog, SqlDatabase, SqlInbox, SqlJobQueue, SqlScheduleStore, SqlSessionStore};

impl SqlDatabase {
    /// The portable handle of this database.
    pub fn database(&self) -> Database {
        Database::new(self.clone())
    }

    /// Every port that this database stands behind.
    pub fn stores(&self) -> Stores {
        Stores {
            database: self.database(),
            jobs: Arc::new(SqlJobQueue::new(self)),
            schedules: Arc::new(SqlScheduleStore::new()),
            inbox: Arc::new(SqlInbox::new()),
            sessions: Arc::new(SqlSessionStore::new()),
            audit: Arc::new(SqlAuditLog::new()),
            migrations: MIGRATIONS,
        }
    }
}
