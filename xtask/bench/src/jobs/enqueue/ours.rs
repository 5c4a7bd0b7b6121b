//! Through Dolmen.

use async_trait::async_trait;
use dolmen::{AppPorts, BoxError, Jobs};
use dolmen_sql::{SqlDatabase, sql};

use super::{Nothing, Writer};

pub(super) struct Ours {
    ports: AppPorts,
    jobs: Jobs,
}

impl Ours {
    pub(super) fn new(sql: &SqlDatabase) -> Self {
        let ports = crate::jobs::idle(sql);
        Self { jobs: ports.jobs(), ports }
    }
}

#[async_trait]
impl Writer for Ours {
    async fn place(&self, work: &Nothing) -> Result<(), BoxError> {
        place(&self.ports, &self.jobs, work).await
    }

    async fn enqueue_all(&self, work: &[Nothing]) -> Result<(), BoxError> {
        let write = self.ports.database().system().write(async |tx| self.jobs.enqueue_all(tx, work).await);
        write.await?;
        Ok(())
    }
}

/// One transaction: a row of the business, and a job.
pub(in crate::jobs) async fn place(ports: &AppPorts, jobs: &Jobs, work: &Nothing) -> Result<(), BoxError> {
    let id = ports.ids().next();
    let write = ports.database().system().write(async |tx| {
        let note = work.order.as_str();
        sql!("insert into bench_order (id, note) values (?, ?)", id, note).execute(tx).await?;
        jobs.enqueue(tx, work).await
    });
    write.await?;
    Ok(())
}
