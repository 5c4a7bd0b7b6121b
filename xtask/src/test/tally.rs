//! Sums the result lines of libtest and libtest-mimic.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How many tests passed and failed, and which never ran.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    ran: BTreeSet<String>,
    /// By name, with the reason.
    ignored: BTreeMap<String, String>,
}

impl Tally {
    /// Takes one line of output into account.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(counts) = line.trim_start().strip_prefix("test result: ") {
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
        } else if let Some((name, verdict)) = verdict(line) {
            match verdict.strip_prefix("ignored") {
                Some(reason) => drop(self.ignored.insert(name.to_owned(), reason.to_owned())),
                None => drop(self.ran.insert(name.to_owned())),
            }
        }
    }

    /// Counts something that is no libtest and passed.
    pub(super) fn add_pass(&mut self) {
        self.passed += 1;
    }

    /// Counts a failure that printed no result line.
    pub(super) fn add_failure(&mut self) {
        self.failed += 1;
    }

    pub(super) fn failed(&self) -> u64 {
        self.failed
    }

    /// The tests that no run ran: what one run leaves out for want of a driver, another one may run.
    pub(super) fn ignored(&self) -> impl Iterator<Item = String> {
        let never_ran = self.ignored.iter().filter(|(name, _)| !self.ran.contains(*name));
        never_ran.map(|(name, reason)| format!("{name}{reason}"))
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} passed, {} failed", self.passed, self.failed)
    }
}

/// The number before a word: `ok. 3 passed; 1 failed` and `failed` give 1.
fn count(counts: &str, word: &str) -> u64 {
    let words: Vec<&str> = counts.split([' ', ';']).filter(|part| !part.is_empty()).collect();
    words
        .windows(2)
        .find_map(|pair| if pair.last() == Some(&word) { pair.first()?.parse().ok() } else { None })
        .unwrap_or(0)
}

/// `test name ... ignored, reason` gives `name` and `ignored, reason`.
fn verdict(line: &str) -> Option<(&str, &str)> {
    let (name, verdict) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    Some((name.trim(), verdict))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(lines: &[&str]) -> Tally {
        let mut tally = Tally::default();
        for line in lines {
            tally.read(line);
        }
        tally
    }

    #[test]
    fn results_of_all_programs_are_summed() {
        let tally = tally(&[
            "test a ... ok",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
            "test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 5 filtered out; finished in 0.01s",
        ]);
        assert_eq!(tally.to_string(), "15 passed, 2 failed");
    }

    #[test]
    fn what_a_test_prints_is_not_a_result() {
        assert_eq!(tally(&["the test result: ok. 9 passed; 9 failed"]).to_string(), "0 passed, 0 failed");
    }

    #[test]
    fn a_run_without_result_line_can_be_counted_as_failed() {
        let mut tally = tally(&[]);
        tally.add_failure();
        assert_eq!(tally.to_string(), "0 passed, 1 failed");
    }

    #[test]
    fn ignored_tests_are_named_with_their_reason() {
        let tally = tally(&["test postgres DB-1   ... ignored (no server)", "test a::b ... ignored, slow"]);
        assert_eq!(tally.ignored().collect::<Vec<_>>(), ["a::b, slow", "postgres DB-1 (no server)"]);
    }

    #[test]
    fn a_test_that_another_run_ran_was_not_ignored() {
        let tally = tally(&["test a ... ignored (no feature)", "test b ... ignored", "test a  ... ok"]);
        assert_eq!(tally.ignored().collect::<Vec<_>>(), ["b"]);
    }
}
