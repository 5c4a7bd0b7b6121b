//! F28: the schema changes under transactions that run: no caller sees an error.

use crate::chaos::verdict::Verdict;
use crate::failure::Outcome;

use super::{Counts, never};

pub(super) fn judge(counts: &Counts, wanted: u64) -> Outcome<(String, Verdict)> {
    let (changes, units) = (counts.of("changes")?, counts.of("units")?);
    let (reruns, visible) = (counts.of("reruns")?, counts.of("visible")?);
    let mut verdict = Verdict::default();
    never(&mut verdict, visible, "visible errors", counts.example());
    let enough = changes >= i64::try_from(wanted).unwrap_or(i64::MAX) && units > changes;
    verdict.expect(enough, || format!("only {units} units under {changes} changes"));
    verdict.expect(reruns > 0, || "no unit met a change".to_owned());
    Ok((
        format!(
            "{changes} changes of the schema under {units} units, {reruns} run again, {visible} visible errors"
        ),
        verdict,
    ))
}
