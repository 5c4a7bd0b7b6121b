//! Where claims have come to: a hint, so that a claim need not walk through what those before it took.
//!
//! Taken jobs stay in the index until they are vacuumed, which an old snapshot anywhere in the server prevents. So a claim
//! begins where the last one of this process ended. What appears behind that, such as a job whose transaction took long,
//! is found by a claim from the very front, which comes at least once a second, and whenever nothing else was found. Once that
//! is slow, it gets a tenth of the time, and a claim that found nothing looks at all queues and priorities that have no place
//! yet.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dolmen_ports::{Due, JobId, Lease, NewJob, QueueName, Timestamp, Uuid};
use serde_json::{Value as Json, json};

use super::claim::Taken;

/// A claim goes so far back behind the database's time: for jobs whose transactions take their time to commit.
const SLACK: Duration = Duration::from_secs(1);
/// A claim from the very front comes at least so often, unless that takes too long.
const FULL_EVERY: Duration = Duration::from_secs(1);
/// Those take at most one part in this many of the time while there is work, or when they are slow.
const SHARE: u32 = 10;
/// From here on they are slow: much is dead and not yet removed.
const SLOW: Duration = Duration::from_millis(10);
/// More queues and priorities than this are not remembered.
const MOST: usize = 64;

/// The fronts that are known: the place after which each goes on.
#[derive(Debug, Default)]
pub(crate) struct Fronts(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    places: HashMap<(QueueName, i32), (Timestamp, JobId)>,
    full: Option<(Instant, Duration)>,
    /// Jobs at the head of a line: behind each may stand one that claims have passed by.
    heads: HashSet<JobId>,
    /// The last claim found nothing.
    is_idle: bool,
    /// The last claim found less than it asked for: there may be more in fronts that are not known.
    is_short: bool,
}

impl State {
    fn has_share(&self) -> bool {
        self.full.is_none_or(|(at, took)| at.elapsed() >= took * SHARE)
    }

    fn may_look_at_all(&self) -> bool {
        self.full.is_none_or(|(_, took)| took < SLOW) || self.has_share()
    }
}

impl Fronts {
    /// Where the next claim begins, and whether it looks elsewhere too; nothing for the very front.
    pub(super) fn next(&self) -> Option<(Json, bool)> {
        let state = self.state();
        let (at, took) = state.full?;
        let is_time = at.elapsed() >= FULL_EVERY.max(took * SHARE) || (state.is_short && state.has_share());
        if state.places.is_empty() || is_time || (state.is_idle && state.may_look_at_all()) {
            return None;
        }
        let places = state.places.iter();
        let places = places.map(|((queue, priority), (due_at, id))| {
            json!({ "queue": queue.as_str(), "priority": priority, "due_at": due_at.to_string(), "id": id.as_uuid() })
        });
        Some((places.collect(), state.is_idle))
    }

    /// Whether a claim that found nothing looks from the very front too.
    pub(super) fn may_look_at_all(&self) -> bool {
        self.state().may_look_at_all()
    }

    /// Notes what a claim took, in its order, whether those were fewer than it asked for, and whether it left nothing
    /// that was due.
    pub(super) fn note(&self, taken: &[Taken], full: Option<Duration>, is_short: bool, left_nothing: bool) {
        let mut state = self.state();
        if let Some(took) = full {
            state.full = Some((Instant::now(), took));
        }
        state.is_idle = taken.is_empty();
        state.is_short = is_short;
        let mut oldest = None;
        state.heads.extend(taken.iter().filter(|taken| taken.is_head).map(|taken| taken.job.lease.job));
        // Most often all are of one front, and the last of each run of them stands farthest behind.
        for run in
            taken.chunk_by(|one, next| one.priority == next.priority && one.job.queue == next.job.queue)
        {
            let Some(last) = run.last() else { continue };
            let behind = last.claimed_at.minus(SLACK);
            oldest = Some(behind);
            let place = (last.due_at, last.job.lease.job).min((behind, JobId::new(Uuid::nil())));
            let front = (last.job.queue.clone(), last.priority);
            let known = state.places.entry(front).or_insert(place);
            *known = place.max(*known);
        }
        if let Some(behind) = oldest.filter(|_| left_nothing) {
            for place in state.places.values_mut() {
                *place = (*place).max((behind, JobId::new(Uuid::nil())));
            }
        }
        if state.places.len() > MOST {
            state.places.clear();
        }
    }

    /// Begins at the very front next time, when a job appeared that a claim after the known places would not find.
    pub(super) fn meet(&self, appeared: &Appeared) {
        let mut state = self.state();
        let is_hidden = |front| !state.places.contains_key(front);
        if appeared.may_lie_behind
            || appeared.since.elapsed() >= SLACK / 2
            || appeared.fronts.iter().any(is_hidden)
        {
            state.places.clear();
        }
    }

    /// Begins at the very front next time.
    pub(crate) fn forget(&self) {
        self.state().places.clear();
    }

    /// Begins at the very front next time, when one of these jobs made way for the next of its line.
    pub(super) fn make_way<'l>(&self, leases: impl IntoIterator<Item = &'l Lease>) {
        let mut state = self.state();
        if state.heads.is_empty() {
            return;
        }
        let mut made_way = false;
        for lease in leases {
            made_way |= state.heads.remove(&lease.job);
        }
        if made_way {
            state.places.clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Jobs that a transaction of this process brings.
#[derive(Debug)]
pub(super) struct Appeared {
    fronts: HashSet<(QueueName, i32)>,
    /// One is due at an instant, which may be long past.
    may_lie_behind: bool,
    /// Their time of due may be as old as this when they are committed.
    since: Instant,
}

impl Appeared {
    pub(super) fn of(jobs: &[NewJob]) -> Self {
        Self {
            fronts: jobs.iter().map(|job| (job.queue.clone(), job.priority.into())).collect(),
            may_lie_behind: jobs.iter().any(|job| matches!(job.due, Due::At(_))),
            since: Instant::now(),
        }
    }
}

#[cfg(test)]
mod tests {
    use dolmen_ports::{ClaimId, ClaimedJob, Scope};

    use super::*;

    #[test]
    fn a_slow_claim_from_the_very_front_does_not_follow_each_that_found_nothing() {
        let looks_at_all = |took: Duration, ago: Duration| {
            let fronts = Fronts::default();
            let lease = Lease::new(JobId::new(Uuid::nil()), 1, ClaimId::new(Uuid::nil()));
            let job = ClaimedJob::new(lease, "a.b".to_owned(), "{}".to_owned(), Scope::System);
            let now = Timestamp::from_unix_micros(1_700_000_000_000_000);
            let taken = [Taken { job, priority: 0, due_at: now, claimed_at: now, is_head: false }];
            fronts.note(&taken, Some(took), true, true);
            fronts.note(&[], None, true, false);
            fronts.state().full = Instant::now().checked_sub(ago).map(|at| (at, took));
            assert_eq!(fronts.next().is_none(), fronts.may_look_at_all());
            fronts.may_look_at_all()
        };
        let (quick, slow) = (Duration::from_millis(2), Duration::from_millis(50));
        assert!(looks_at_all(quick, Duration::ZERO));
        assert!(!looks_at_all(slow, slow * 5));
        assert!(looks_at_all(slow, slow * 20));
    }

    #[test]
    fn a_job_that_the_known_places_would_hide_sends_the_next_claim_to_the_very_front() {
        let job = || NewJob::new(JobId::new(Uuid::nil()), "a.b", "{}", Scope::System);
        let knows_after = |change: fn(&mut NewJob)| {
            let fronts = Fronts::default();
            let place = (Timestamp::from_unix_micros(0), JobId::new(Uuid::nil()));
            fronts.state().places.insert((QueueName::DEFAULT, 0), place);
            fronts.state().full = Some((Instant::now(), Duration::ZERO));
            let mut job = job();
            change(&mut job);
            fronts.meet(&Appeared::of(&[job]));
            fronts.next().is_some()
        };
        assert!(knows_after(|_| {}));
        assert!(!knows_after(|job| job.priority = -1));
        assert!(!knows_after(|job| job.queue = QueueName::new("mail")));
        assert!(!knows_after(|job| job.due = Due::At(Timestamp::from_unix_micros(1))));
    }
}
