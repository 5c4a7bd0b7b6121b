//! How long an idle worker takes to start a job that its own process enqueues.

use std::time::{Duration, Instant};

use dolmen::{AppPorts, BoxError, WorkerSettings};
use dolmen_sql::SqlDatabase;
use serde_json::{Value, json};

use super::enqueue::place;
use super::ours::Worker;
use super::{Nothing, PATIENCE};

const PROBES: usize = 400;
/// They open connections and prepare statements.
const UNMEASURED: usize = 10;

/// Milliseconds from before the transaction of the business that enqueues to the start of the handler.
pub(super) async fn measure(sql: &SqlDatabase) -> Result<Value, BoxError> {
    let (probe, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let ports = AppPorts::from(sql.stores());
    let jobs = ports.jobs();
    let worker = Worker::start(ports.clone(), WorkerSettings::new(), move |work: &Nothing| {
        // Nobody listens when the measurement has ended.
        probe.send((work.number, Instant::now())).ok();
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut times = Vec::new();
    for work in Nothing::many(PROBES + UNMEASURED) {
        let before = Instant::now();
        place(&ports, &jobs, &work).await?;
        let begun = tokio::time::timeout(PATIENCE, async {
            loop {
                match seen.recv().await {
                    Some((other, _)) if other != work.number => {}
                    found => return found,
                }
            }
        });
        let (_, begun) = begun.await?.ok_or("the worker has ended")?;
        if work.number >= UNMEASURED {
            times.push(begun.duration_since(before).as_secs_f64() * 1_000.0);
        }
        // Not a steady beat: a worker that polls would always be met at the same moment.
        let pause = Duration::from_millis(18 + (work.number as u64 * 7) % 5);
        tokio::time::sleep(pause.saturating_sub(before.elapsed()).max(Duration::from_millis(5))).await;
    }
    worker.end().await?;
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 100).copied();
    Ok(json!({ "p50_ms": at(50), "p99_ms": at(99) }))
}
