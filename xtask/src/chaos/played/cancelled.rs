//! F21: a unit of work is dropped at each of its awaits: the next borrower of its connection finds nothing of it.

use crate::chaos::verdict::Verdict;
use crate::failure::Outcome;

use super::{Counts, never};

/// A write, a read and a transaction by hand have more awaits than this together.
const AWAITS: i64 = 6;

pub(super) fn judge(counts: &Counts, rounds: u64) -> Outcome<(String, Verdict)> {
    let (cancelled, poisoned, torn) = (counts.of("cancelled")?, counts.of("poisoned")?, counts.of("torn")?);
    let idle = counts.of("idle_transactions")?;
    let mut verdict = Verdict::default();
    never(&mut verdict, poisoned, "poisoned connections", counts.example());
    never(&mut verdict, torn, "units committed in part", counts.example());
    never(&mut verdict, idle, "transactions left open on the server", counts.example());
    let least = i64::try_from(rounds).unwrap_or(i64::MAX).saturating_mul(AWAITS);
    verdict.expect(cancelled >= least, || format!("only {cancelled} units were dropped"));
    let rounds = counts.of("rounds")?;
    Ok((
        format!(
            "{rounds} rounds, dropped at {cancelled} awaits, {poisoned} poisoned connections, {torn} torn units, {idle} \
             transactions left open"
        ),
        verdict,
    ))
}
