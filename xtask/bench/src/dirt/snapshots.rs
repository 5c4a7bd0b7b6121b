//! Three sessions whose transactions overlap, so that there is always one with an old snapshot.

use std::time::Duration;

use dolmen::BoxError;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::task::JoinSet;
use tokio::time::sleep;

const SESSIONS: u32 = 3;

/// Dropping it ends them.
#[derive(Debug)]
pub(super) struct Snapshots(JoinSet<Result<(), BoxError>>);

impl Snapshots {
    /// Each holds its transaction so long, and begins the next one at once.
    pub(super) async fn hold(url: &str, time: Duration) -> Result<Self, BoxError> {
        let mut sessions = JoinSet::new();
        for session in 0..SESSIONS {
            let mut connection = PgConnection::connect(url).await?;
            // The first ones are of different length; then they begin in turns.
            let first = time - time * session / SESSIONS;
            begin(&mut connection).await?;
            sessions.spawn(async move {
                sleep(first).await;
                loop {
                    connection.execute("commit").await?;
                    begin(&mut connection).await?;
                    sleep(time).await;
                }
            });
        }
        Ok(Self(sessions))
    }

    /// Ends them all; one that ended before is an error.
    pub(super) async fn end(mut self) -> Result<(), BoxError> {
        if let Some(ended) = self.0.try_join_next() {
            ended??;
        }
        self.0.shutdown().await;
        Ok(())
    }
}

/// The snapshot is taken by the first statement.
async fn begin(connection: &mut PgConnection) -> Result<(), BoxError> {
    connection.execute("begin isolation level repeatable read").await?;
    connection.execute("select 1 from dolmen_job limit 1").await?;
    Ok(())
}
