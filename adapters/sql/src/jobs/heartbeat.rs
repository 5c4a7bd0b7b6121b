//! Extending leases on a connection of its own, so that a full pool costs nobody a lease.

use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Dialect, Heartbeat, JobId, Lease, PortResult};

use super::{mysql, settle};
use crate::database::{SqlDatabase, SqlTx};

/// The heartbeat of [`SqlJobQueue`](crate::SqlJobQueue). Its connection belongs to the runtime of the thread that opened
/// it; one that broke is opened anew at the next call.
#[derive(Debug)]
pub struct SqlHeartbeat {
    database: SqlDatabase,
    connection: Option<SqlTx>,
}

impl SqlHeartbeat {
    pub(super) async fn open(database: &SqlDatabase) -> PortResult<Self> {
        let connection = SqlTx::new(database.open_apart().await?, None);
        Ok(Self { database: database.clone(), connection: Some(connection) })
    }
}

#[async_trait]
impl Heartbeat for SqlHeartbeat {
    async fn extend(&mut self, leases: &[Lease], lease_for: Duration) -> PortResult<Vec<JobId>> {
        // Taken, and put back only after success: a connection in an unknown state is not used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => SqlTx::new(self.database.open_apart().await?, None),
        };
        let rows = match connection.dialect() {
            Dialect::MySql => mysql::extend(&mut connection, leases, lease_for).await?,
            _ => settle::extend(leases, lease_for).fetch_in(&mut connection).await?,
        };
        self.connection = Some(connection);
        settle::lost(leases, &rows)
    }
}
