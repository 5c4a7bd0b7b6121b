//! The ports of a database, as an application takes them.

use std::sync::Arc;

use dolmen_ports::{Database, JobQueue, ScheduleStore};

use crate::{SqlDatabase, SqlJobQueue, SqlScheduleStore};

impl SqlDatabase {
    /// The portable handle of this database.
    pub fn database(&self) -> Database {
        Database::new(self.clone())
    }

    /// The job queue in this database.
    pub fn job_queue(&self) -> Arc<dyn JobQueue> {
        Arc::new(SqlJobQueue::new(self))
    }

    /// The memory of schedules in this database.
    pub fn schedule_store(&self) -> Arc<dyn ScheduleStore> {
        Arc::new(SqlScheduleStore::new())
    }
}
