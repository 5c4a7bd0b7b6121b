//! F44: a change that was made is there at the end, whoever changed the same row meanwhile.

use crate::chaos::verdict::Verdict;
use crate::failure::Outcome;

use super::Counts;

pub(super) fn judge(counts: &Counts, wanted: u64) -> Outcome<(String, Verdict)> {
    let (updates, stored, stale) = (counts.of("updates")?, counts.of("stored")?, counts.of("stale")?);
    let lost = updates - stored;
    let mut verdict = Verdict::default();
    verdict.promise(lost == 0, || format!("{updates} changes, of which {stored} are there"));
    verdict
        .expect(updates >= i64::try_from(wanted).unwrap_or(i64::MAX), || format!("only {updates} changes"));
    // Without a guard there is none either, and the promise above is broken.
    verdict.expect(stale > 0, || "nobody changed what another one was about to change".to_owned());
    Ok((format!("{updates} changes, {stale} stale versions refused, {lost} lost"), verdict))
}
