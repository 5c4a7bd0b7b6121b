//! F22: transactions that meet run again as a whole, a few times, and then say so.

use crate::chaos::verdict::Verdict;
use crate::failure::Outcome;

use super::{Counts, never};

pub(super) fn judge(counts: &Counts, wanted: u64) -> Outcome<(String, Verdict)> {
    let [deadlocks, failures, locks] =
        ["deadlocks", "serialization_failures", "lock_timeouts"].map(|name| counts.of(name));
    let (deadlocks, failures, locks) = (deadlocks?, failures?, locks?);
    let (done, surfaced) = (counts.of("done")?, counts.of("surfaced")?);
    let (lost, doubled) = (counts.of("lost")?, counts.of("doubled")?);
    let mut verdict = Verdict::default();
    never(&mut verdict, lost, "effects lost", counts.example());
    never(&mut verdict, doubled, "effects too many", counts.example());
    never(&mut verdict, counts.of("money_made")?, "units of money out of nothing", counts.example());
    never(&mut verdict, counts.of("strange")?, "units with another error", counts.example());
    never(&mut verdict, counts.of("unbounded")?, "units with another number of runs", counts.example());
    let conflicts = deadlocks + failures + locks;
    verdict.expect(conflicts >= i64::try_from(wanted).unwrap_or(i64::MAX), || {
        format!("only {conflicts} conflicts")
    });
    verdict.expect(surfaced > 0, || "no unit gave up, though some had no chance".to_owned());
    Ok((
        format!(
            "{conflicts} conflicts ({deadlocks} deadlocks, {failures} serialization failures, {locks} locks not had), {done} \
             units done, {surfaced} gave up after all their runs, {lost} effects lost, {doubled} doubled"
        ),
        verdict,
    ))
}
