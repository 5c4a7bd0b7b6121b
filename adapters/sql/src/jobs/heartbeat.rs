//! Extending leases on a connection of its own, so that a full pool costs nobody a lease.

use std::time::Duration;

use async_trait::async_trait;
use dolmen_ports::{Heartbeat, JobId, Lease, PortResult};

use super::{in_steps, settle};
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

    /// Taken, and put back only after success: a connection in an unknown state is not used again.
    async fn take(&mut self) -> PortResult<SqlTx> {
        match self.connection.take() {
            Some(connection) => Ok(connection),
            None => Ok(SqlTx::new(self.database.open_apart().await?, None)),
        }
    }
}

#[async_trait]
impl Heartbeat for SqlHeartbeat {
    async fn extend(&mut self, leases: &[Lease], lease_for: Duration) -> PortResult<Vec<JobId>> {
        let mut connection = self.take().await?;
        let held = in_steps::extend(&mut connection, leases, lease_for).await?;
        self.connection = Some(connection);
        let lost = || leases.iter().filter(|lease| !held.contains(&lease.job));
        self.database.open_claims().settle(lost());
        self.database.fronts().make_way(lost());
        Ok(settle::lost(leases, &held))
    }

    async fn give_up(&mut self, leases: &[Lease]) -> PortResult<()> {
        let mut connection = self.take().await?;
        in_steps::give_up(&mut connection, leases).await?;
        self.connection = Some(connection);
        self.database.open_claims().settle(leases);
        self.database.fronts().make_way(leases);
        Ok(())
    }
}
