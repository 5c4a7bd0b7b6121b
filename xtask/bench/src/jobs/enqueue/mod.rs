//! Enqueueing: one job in each transaction of the business, and many jobs in one.

mod ours;
mod plain;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use dolmen::BoxError;
use dolmen_sql::SqlDatabase;
use tokio::task::JoinSet;

pub(super) use self::ours::place;
use super::{Measure, Nothing, Side};

/// Tasks that write orders at the same time.
const WRITERS: usize = 16;
/// Tasks that enqueue many at the same time.
const FILLERS: usize = 2;
/// Jobs of a call.
const BATCH: usize = 1_000;

/// A way to enqueue.
#[async_trait]
trait Writer: Send + Sync {
    /// One transaction: a row of the business, and a job.
    async fn place(&self, work: &Nothing) -> Result<(), BoxError>;

    /// One transaction with all of these jobs.
    async fn enqueue_all(&self, work: &[Nothing]) -> Result<(), BoxError>;
}

/// Transactions or jobs a second.
pub(super) async fn measure(
    sql: &SqlDatabase,
    url: &str,
    side: Side,
    measure: Measure,
    seconds: u64,
) -> Result<f64, BoxError> {
    let writer: Arc<dyn Writer> = match side {
        Side::Dolmen => Arc::new(ours::Ours::new(sql)),
        Side::LeasePerClaim | Side::TaskPerJob | Side::LeasePerJob => {
            Arc::new(plain::Plain::connect(url).await?)
        }
    };
    super::ours::tidy(url).await?;
    let tasks = if measure == Measure::EnqueueOne { WRITERS } else { FILLERS };
    // Once unmeasured: connections are opened, statements prepared.
    repeated(&writer, tasks, measure, 1).await?;
    repeated(&writer, tasks, measure, seconds).await
}

async fn repeated(
    writer: &Arc<dyn Writer>,
    tasks: usize,
    measure: Measure,
    seconds: u64,
) -> Result<f64, BoxError> {
    let started = Instant::now();
    let end = started + Duration::from_secs(seconds);
    let mut running = JoinSet::new();
    for _ in 0..tasks {
        let writer = Arc::clone(writer);
        running.spawn(async move {
            let (work, mut sum) = (Nothing::many(BATCH), 0);
            while Instant::now() < end {
                match (measure, work.first()) {
                    (Measure::EnqueueOne, Some(one)) => {
                        writer.place(one).await?;
                        sum += 1;
                    }
                    _ => {
                        writer.enqueue_all(&work).await?;
                        sum += work.len();
                    }
                }
            }
            Ok::<_, BoxError>(sum)
        });
    }
    let mut sum = 0;
    while let Some(done) = running.join_next().await {
        sum += done??;
    }
    Ok(sum as f64 / started.elapsed().as_secs_f64())
}
