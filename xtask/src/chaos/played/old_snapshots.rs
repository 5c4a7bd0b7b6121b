//! F23: transactions that are held for long keep PostgreSQL from removing dead rows: claims stay quick, and somebody is named.

use crate::chaos::verdict::Verdict;
use crate::failure::Outcome;

use super::Counts;

/// The 99th of 100 claims takes at most so long.
const LONGEST_P99_US: i64 = 50_000;

pub(super) fn judge(counts: &Counts, wanted: u64) -> Outcome<(String, Verdict)> {
    let (enqueued, claimed) = (counts.of("enqueued")?, counts.of("claimed")?);
    let (seconds, claims, p99) = (counts.of("seconds")?, counts.of("claims")?, counts.of("claim_p99_us")?);
    let named = counts.of("named")?;
    let mut verdict = Verdict::default();
    verdict.promise(enqueued == claimed, || format!("{claimed} of {enqueued} jobs were done"));
    verdict.promise(p99 <= LONGEST_P99_US, || {
        format!("1 of 100 claims took longer than {p99} us, the target is {LONGEST_P99_US}")
    });
    // Asked once a second.
    verdict.promise(named + 2 >= seconds, || {
        format!("the old transaction was named by {named} of {seconds} looks")
    });
    let long_enough = seconds >= i64::try_from(wanted).unwrap_or(i64::MAX);
    verdict.expect(long_enough && counts.of("ended_early")? == 0, || "no transaction was held".to_owned());
    Ok((
        format!(
            "{enqueued} jobs within {seconds} s under old transactions, 200000 dead rows in the way: {claimed} done by {claims} \
             claims, p99 {p99} us; named by {named} looks"
        ),
        verdict,
    ))
}
