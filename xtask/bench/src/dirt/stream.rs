//! Jobs that come at a constant rate, each in a transaction of its own.

use std::sync::Arc;
use std::time::Duration;

use dolmen::BoxError;
use dolmen_sql::SqlDatabase;
use tokio::task::JoinSet;

use crate::generator::Pace;
use crate::jobs::Nothing;
use crate::shop;

const TASKS: usize = 16;

/// Dropping it ends it.
#[derive(Debug)]
pub(super) struct Stream(JoinSet<Result<(), BoxError>>);

impl Stream {
    pub(super) fn start(sql: &SqlDatabase, per_second: u32, time: Duration) -> Self {
        let pace = Arc::new(Pace::start(per_second.into(), time));
        let mut tasks = JoinSet::new();
        for _ in 0..TASKS {
            let (ports, pace) = (shop::idle(sql), Arc::clone(&pace));
            tasks.spawn(async move {
                let jobs = ports.jobs();
                let work = Nothing::many(1);
                while pace.next().await.is_some() {
                    ports.database().system().write(async |tx| jobs.enqueue_all(tx, &work).await).await?;
                }
                Ok(())
            });
        }
        Self(tasks)
    }

    pub(super) fn end(self) {
        drop(self.0);
    }
}
