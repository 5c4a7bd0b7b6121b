//! Queues that nothing is claimed from.

use dolmen_ports::{PortResult, QueueName, ReadTx};

use crate::database::SqlTx;
use crate::statement::framework_sql;

pub(super) async fn pause(tx: &mut SqlTx, queue: &QueueName) -> PortResult<()> {
    framework_sql!("insert into dolmen_job_paused (queue) values (?) {ignore_conflict queue}", queue.as_str())
        .execute_in(tx)
        .await
        .map(drop)
}

pub(super) async fn resume(tx: &mut SqlTx, queue: &QueueName) -> PortResult<()> {
    framework_sql!("delete from dolmen_job_paused where queue = ?", queue.as_str())
        .execute_in(tx)
        .await
        .map(drop)
}

pub(super) async fn paused(tx: &mut ReadTx) -> PortResult<Vec<QueueName>> {
    let rows: Vec<(String,)> =
        framework_sql!("select queue from dolmen_job_paused order by queue").fetch_all(tx).await?;
    rows.iter().map(|(queue,)| QueueName::parse(queue)).collect()
}
