//! A migration that did not get its locks: it gives way, waits, and tries again.
//!
//! While a schema change waits for its table, whoever comes after it waits behind it. So it never waits for long.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::time::Duration;

use dolmen_ports::{ErrorKind, PortError};
use tokio::time::Instant;

use crate::database::SqlOptions;
use crate::error;

/// The wait after the first refusal; it doubles up to the longest.
const SHORTEST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(8);

/// Whether the database refused the locks of a statement, so that nothing of its transaction is there.
pub(super) fn is_refusal(error: &PortError) -> bool {
    #[cfg(feature = "mysql")]
    if let Some(number) = error::mysql::number(error) {
        return error::mysql::is_lock_refused(number);
    }
    // Lock timeout, deadlock.
    matches!(error::code(error).as_deref(), Some("55P03" | "40P01"))
}

/// Counts the refusals of one migration.
#[derive(Debug)]
pub(super) struct Patience {
    deadline: Instant,
    options: SqlOptions,
    refusals: u32,
}

impl Patience {
    pub(super) fn new(options: &SqlOptions) -> Self {
        Self { deadline: Instant::now() + options.table_lock_patience, options: options.clone(), refusals: 0 }
    }

    /// Waits before the next try; gives the error that ends the run when the time is over.
    pub(super) async fn wait(
        &mut self,
        name: &str,
        blockers: &str,
        error: PortError,
    ) -> Result<(), PortError> {
        self.refusals += 1;
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.spent(name, blockers, error));
        }
        let pause = pause_after(self.refusals).min(left);
        tracing::warn!(
            migration = name,
            refusals = self.refusals,
            blockers,
            pause_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            "migration did not get its lock; trying again"
        );
        tokio::time::sleep(pause).await;
        Ok(())
    }

    fn spent(&self, name: &str, blockers: &str, error: PortError) -> PortError {
        let SqlOptions { table_lock_timeout, table_lock_patience, .. } = self.options;
        let mut detail = format!(
            "migrate/blocked: migration {name} did not get its lock in {} tries of {table_lock_timeout:?} within \
             {table_lock_patience:?}",
            self.refusals
        );
        let _ = if blockers.is_empty() {
            write!(detail, "; end the long transactions that use its table, and run migrate again")
        } else {
            write!(detail, "; blocked by {blockers}; end that transaction, and run migrate again")
        };
        PortError::new(ErrorKind::Timeout, "database", "migrate").with_detail(detail).with_source(error)
    }
}

/// Half of it is certain, so that those who queued behind the migration get through; half is chance.
fn pause_after(refusals: u32) -> Duration {
    let ceiling = SHORTEST.saturating_mul(1 << refusals.saturating_sub(1).min(8)).min(LONGEST);
    let half = ceiling / 2;
    let random = RandomState::new().build_hasher().finish();
    half + Duration::from_micros(random % u64::try_from(half.as_micros()).unwrap_or(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_below_their_ceiling() {
        for (refusals, ceiling) in [(1, 500), (2, 1_000), (5, 8_000), (40, 8_000)] {
            let pause = pause_after(refusals).as_millis();
            assert!((ceiling / 2..=ceiling).contains(&pause), "{refusals}: {pause}");
        }
    }

    #[test]
    fn only_what_a_database_said_about_locks_is_a_refusal() {
        let silence = PortError::new(ErrorKind::Timeout, "database", "migrate");
        assert!(!is_refusal(&silence) && !is_refusal(&silence.with_source(std::io::Error::other("55P03"))));
    }
}
