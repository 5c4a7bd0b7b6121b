//! One replica: its pool, what the last look saw, and how many read on it now.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dolmen_ports::PortError;

use super::ReplicaStatus;
use crate::driver::{Backend, LogPosition, Standing};

#[derive(Debug)]
pub(super) struct Member {
    pub(super) number: usize,
    pub(super) backend: Box<dyn Backend>,
    reads: Arc<AtomicUsize>,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    standing: Option<Standing>,
    lag: Duration,
    out_of_use: Option<String>,
}

/// A read on a replica, counted while it lives.
#[derive(Debug)]
pub(crate) struct Reading(Arc<AtomicUsize>);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Member {
    pub(super) fn new(number: usize, backend: Box<dyn Backend>) -> Self {
        let seen = Seen {
            standing: None,
            lag: Duration::ZERO,
            out_of_use: Some("it was not looked at yet".to_owned()),
        };
        Self { number, backend, reads: Arc::default(), seen: Mutex::new(seen) }
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.seen().out_of_use.is_none()
    }

    pub(super) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    pub(super) fn begin_reading(&self) -> Reading {
        self.reads.fetch_add(1, Ordering::Relaxed);
        Reading(Arc::clone(&self.reads))
    }

    /// Whether the last look saw it there already.
    pub(super) fn had_come_to(&self, wanted: Option<LogPosition>) -> bool {
        let standing = self.seen().standing;
        wanted.is_none_or(|wanted| standing.is_some_and(|standing| standing.offset >= wanted.offset))
    }

    /// What a look saw: how far it is, and how far behind.
    pub(super) fn saw(&self, standing: Standing, lag: Duration, out_of_use: Option<String>) {
        self.change(Seen { standing: Some(standing), lag, out_of_use });
    }

    /// It could not be used: no read is sent there until a look finds it well.
    pub(super) fn take_out(&self, error: &PortError) {
        let kind = error.kind();
        let why = error.detail().map_or_else(|| kind.to_string(), |detail| format!("{kind}: {detail}"));
        let Seen { standing, lag, .. } = *self.seen();
        self.change(Seen { standing, lag, out_of_use: Some(why) });
    }

    fn change(&self, now: Seen) {
        let mut seen = self.seen();
        match (&seen.out_of_use, &now.out_of_use) {
            (None, Some(why)) => {
                tracing::warn!(replica = self.number, why, "a replica of the database is out of use");
            }
            (Some(_), None) => tracing::info!(replica = self.number, "a replica of the database is in use"),
            _ => {}
        }
        *seen = now;
    }

    pub(super) fn status(&self) -> ReplicaStatus {
        let seen = self.seen();
        ReplicaStatus { number: self.number, lag: seen.lag, out_of_use: seen.out_of_use.clone() }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
