//! What each worker does for all: rescue jobs of dead processes, remove finished ones, tell of unknown kinds.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dolmen_ports::jobs::OldestSnapshot;
use dolmen_ports::{KindStats, PortResult, ReadTx, WriteTx};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::engine::Engine;
use super::measurements::{OLDEST_SNAPSHOT, RESCUED, UNCLAIMABLE};

/// How long after the next lease runs out there is a look at most, half of it on average: processes take turns.
const RESCUE_WITHIN: Duration = Duration::from_secs(3);
const RESCUE_AT_ONCE: u32 = 500;
const PRUNE_AT_ONCE: u32 = 1_000;
/// A transaction that is open for longer is told of.
const OLD_SNAPSHOT: Duration = Duration::from_secs(20);
const UNKNOWN_EVERY: Duration = Duration::from_mins(5);
/// Due jobs of unknown kinds are told of when they have waited this long: before, a newer version may be on its way.
const UNKNOWN_AFTER_MS: u64 = 300_000;

/// Keeps house until the drain begins, in a task for each thing to do: a database may refuse a task that begins a write within
/// another one.
pub(super) fn keep_house(engine: &Arc<Engine>, tasks: &mut JoinSet<()>) {
    let [rescuing, pruning, watching] = [(); 3].map(|()| Arc::clone(engine));
    tasks.spawn(async move { until_drain(&rescuing, rescue(&rescuing)).await });
    tasks.spawn(async move { until_drain(&pruning, prune(&pruning)).await });
    tasks.spawn(async move { until_drain(&watching, watch_unknown_kinds(&watching)).await });
}

async fn until_drain(engine: &Engine, work: impl Future<Output = ()>) {
    tokio::select! {
        () = work => {}
        () = engine.drain.cancelled() => {}
    }
}

async fn rescue(engine: &Engine) {
    let mut dice = engine.dice();
    let (lease, spread) = (engine.settings.lease(), RESCUE_WITHIN.min(engine.settings.heartbeat()));
    let mut told = None;
    loop {
        match engine.queue.rescue(RESCUE_AT_ONCE).await {
            Ok(rescued) => {
                engine.outage.worked("rescue");
                if rescued.requeued > 0 || rescued.buried > 0 {
                    tracing::warn!(
                        requeued = rescued.requeued,
                        buried = rescued.buried,
                        "leases had run out: their workers died or were cut off"
                    );
                    engine.metrics.add(&RESCUED, &["requeued"], rescued.requeued);
                    engine.metrics.add(&RESCUED, &["buried"], rescued.buried);
                    engine.look_again.notify_one();
                }
                report_old_snapshot(engine, rescued.oldest_snapshot.as_ref(), &mut told);
                if rescued.last_chances {
                    engine.last_chances.store(true, Ordering::Release);
                    engine.look_again.notify_one();
                }
                if rescued.requeued + rescued.buried < u64::from(RESCUE_AT_ONCE) {
                    // A lease that begins after this look ends a whole lease later at the earliest.
                    let next = rescued.next_in.map_or(lease, |next| next.min(lease));
                    sleep(next + dice.around(spread / 2)).await;
                }
            }
            Err(error) => sleep(engine.outage.failed("rescue", &error)).await,
        }
    }
}

fn report_old_snapshot(engine: &Engine, oldest: Option<&OldestSnapshot>, told: &mut Option<String>) {
    engine.metrics.set(&OLDEST_SNAPSHOT, &[], oldest.map_or(0.0, |oldest| oldest.age.as_secs_f64()));
    if let Some(old) = newly_old(oldest, told) {
        tracing::warn!(
            session = old.session,
            age = ?old.age,
            "database/old-snapshot: a transaction has been open for long; until it ends, the database cannot remove dead \
             rows, and jobs get slower: commit sooner, or end it with pg_terminate_backend"
        );
    }
}

/// The oldest transaction when it is to be told of: once, until another one is the oldest.
fn newly_old<'s>(
    oldest: Option<&'s OldestSnapshot>,
    told: &mut Option<String>,
) -> Option<&'s OldestSnapshot> {
    let old = oldest.filter(|oldest| oldest.age >= OLD_SNAPSHOT);
    let session = old.map(|old| old.session.clone());
    let is_new = session.is_some() && session != *told;
    *told = session;
    old.filter(|_| is_new)
}

async fn prune(engine: &Engine) {
    let mut dice = engine.dice();
    let interval = engine.settings.prune_every();
    loop {
        // A full interval first, so that a restart costs nothing and processes that start together drift apart.
        sleep(dice.around(interval)).await;
        loop {
            match prune_once(engine).await {
                Ok(removed) if removed < u64::from(PRUNE_AT_ONCE) => {
                    engine.outage.worked("prune");
                    break;
                }
                // Between two batches others get their turn.
                Ok(_) => sleep(Duration::from_millis(100)).await,
                Err(error) => {
                    let pause = engine.outage.failed("prune", &error);
                    sleep(pause).await;
                }
            }
        }
    }
}

/// Removes one batch of each kind of record that only its age makes useless; returns the size of the largest batch.
async fn prune_once(engine: &Engine) -> PortResult<u64> {
    let jobs = engine.queue.prune(engine.settings.retention(), PRUNE_AT_ONCE).await?;
    let now = engine.clock.now();
    let keys = match &engine.inbox {
        Some(inbox) => {
            let before = now.minus(engine.settings.inbox_retention());
            engine
                .database
                .system()
                .write(async |tx: &mut WriteTx| inbox.prune(tx, before, PRUNE_AT_ONCE).await)
                .await?
        }
        None => 0,
    };
    let sessions = match &engine.sessions {
        Some(sessions) => {
            engine
                .database
                .system()
                .write(async |tx: &mut WriteTx| sessions.prune(tx, now, PRUNE_AT_ONCE).await)
                .await?
        }
        None => 0,
    };
    Ok(jobs.max(keys).max(sessions))
}

async fn watch_unknown_kinds(engine: &Engine) {
    let mut told = BTreeSet::new();
    let mut next = Instant::now() + UNKNOWN_EVERY;
    loop {
        sleep_until(next).await;
        next = Instant::now() + UNKNOWN_EVERY;
        let stats = engine.database.system().read(async |tx: &mut ReadTx| engine.queue.stats(tx).await).await;
        // A failure is told of by the other loops; this one looks again in five minutes.
        report_unknown_kinds(engine, stats, &mut told);
    }
}

fn report_unknown_kinds(engine: &Engine, stats: PortResult<Vec<KindStats>>, told: &mut BTreeSet<String>) {
    let Ok(stats) = stats else { return };
    let unknown = |stats: &&KindStats| {
        stats.oldest_ready_ms >= UNKNOWN_AFTER_MS && engine.registry.find(&stats.kind).is_none()
    };
    let unknown: Vec<&KindStats> = stats.iter().filter(unknown).collect();
    let jobs: u64 = unknown.iter().map(|stats| stats.ready).sum();
    #[expect(clippy::cast_precision_loss, reason = "a gauge")]
    engine.metrics.set(&UNCLAIMABLE, &[], jobs as f64);
    let kinds: BTreeSet<String> = unknown.iter().map(|stats| stats.kind.clone()).collect();
    if kinds != *told {
        if !kinds.is_empty() {
            tracing::error!(
                jobs,
                ?kinds,
                "job/unclaimable: due jobs of kinds that this program does not know; deploy the version that knows \
                 them, or discard them"
            );
        }
        *told = kinds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_transaction_is_told_of_once() {
        let mut told = None;
        let mut tells = |session: Option<&str>, age| {
            let oldest = session.map(|session| OldestSnapshot::new(session, age));
            newly_old(oldest.as_ref(), &mut told).is_some()
        };
        let young = OLD_SNAPSHOT / 2;
        assert!(!tells(None, OLD_SNAPSHOT));
        assert!(!tells(Some("process 1"), young));
        assert!(tells(Some("process 1"), OLD_SNAPSHOT));
        assert!(!tells(Some("process 1"), OLD_SNAPSHOT * 2));
        assert!(tells(Some("process 2"), OLD_SNAPSHOT));
        assert!(!tells(Some("process 2"), young));
        assert!(tells(Some("process 2"), OLD_SNAPSHOT), "another transaction of the same session");
    }
}
