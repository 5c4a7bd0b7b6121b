//! The books of F22: which units ran how often, and what became of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use dolmen::ports::ScopedDatabase;
use dolmen::{Database, ErrorKind, PortError, PortResult, ReadTx, WriteTx};
use dolmen_sql::sql;

/// A unit of work that may run several times.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) unit: i64,
    runs: AtomicU32,
}

/// What became of all units.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    units: AtomicI64,
    conflicts: AtomicU64,
    /// Whose effect must be there once, and whose must not be there.
    ended: Mutex<BTreeMap<i64, bool>>,
    /// Errors that nobody should have seen.
    strange: Mutex<Vec<String>>,
    /// Units that ended with `Contention` before they had all their runs, or had too many.
    unbounded: AtomicU64,
}

impl Ledger {
    pub(super) fn begin(&self) -> Attempt {
        Attempt { unit: self.units.fetch_add(1, Ordering::SeqCst), runs: AtomicU32::new(0) }
    }

    pub(super) fn conflicts(&self) -> u64 {
        self.conflicts.load(Ordering::SeqCst)
    }

    /// Notes how a unit ended.
    pub(super) fn end(&self, attempt: &Attempt, result: PortResult<()>) {
        let runs = attempt.runs.load(Ordering::SeqCst);
        let failed = if result.is_ok() { runs.saturating_sub(1) } else { runs };
        self.conflicts.fetch_add(u64::from(failed), Ordering::SeqCst);
        let surfaced = |error: &PortError| error.kind() == ErrorKind::Contention;
        match result {
            Ok(()) => drop(lock(&self.ended).insert(attempt.unit, true)),
            Err(error) if surfaced(&error) => {
                lock(&self.ended).insert(attempt.unit, false);
                if runs != ScopedDatabase::MAX_RUNS {
                    self.unbounded.fetch_add(1, Ordering::SeqCst);
                }
            }
            Err(error) => lock(&self.strange).push(error.chain()),
        }
    }

    /// How many units ended with `Contention`.
    pub(super) fn surfaced(&self) -> usize {
        lock(&self.ended).values().filter(|done| !**done).count()
    }

    /// How many units are done.
    pub(super) fn done(&self) -> usize {
        lock(&self.ended).values().filter(|done| **done).count()
    }

    pub(super) fn unbounded(&self) -> u64 {
        self.unbounded.load(Ordering::SeqCst)
    }

    pub(super) fn strange(&self) -> Vec<String> {
        lock(&self.strange).clone()
    }

    /// Holds the effects in the database against the books: how many are missing, and how many are too many.
    pub(super) async fn audit(&self, database: &Database) -> PortResult<(i64, i64)> {
        let read = async |tx: &mut ReadTx| {
            sql!("select unit, count(*) from chaos_unit group by unit").fetch_all::<(i64, i64)>(tx).await
        };
        let effects: BTreeMap<i64, i64> = database.system().read(read).await?.into_iter().collect();
        let ended = lock(&self.ended);
        let (mut lost, mut doubled) = (0, 0);
        for (unit, done) in ended.iter() {
            let found = effects.get(unit).copied().unwrap_or(0);
            let wanted = i64::from(*done);
            lost += (wanted - found).max(0);
            doubled += (found - wanted).max(0);
        }
        Ok((lost, doubled))
    }
}

impl Attempt {
    /// Begins a run: leaves the unit's effect, and returns the number of the run.
    pub(super) async fn run(&self, tx: &mut WriteTx, outside: Option<&Database>) -> PortResult<u32> {
        let run = self.runs.fetch_add(1, Ordering::SeqCst) + 1;
        match outside {
            None => leave_effect(tx, self.unit).await?,
            Some(outside) => {
                let write = async |tx: &mut WriteTx| leave_effect(tx, self.unit).await;
                outside.system().write(write).await?;
            }
        }
        Ok(run)
    }
}

async fn leave_effect(tx: &mut WriteTx, unit: i64) -> PortResult<()> {
    sql!("insert into chaos_unit (unit, part) values (?, 1)", unit).execute(tx).await.map(drop)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
