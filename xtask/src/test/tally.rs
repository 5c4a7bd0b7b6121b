//! Sums the result lines of libtest and libtest-mimic.

use std::fmt;

/// How many tests passed and failed, and which were ignored.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    passed: u64,
    failed: u64,
    ignored: Vec<String>,
}

impl Tally {
    /// Takes one line of output into account.
    pub(super) fn read(&mut self, line: &str) {
        if let Some(counts) = line.trim_start().strip_prefix("test result: ") {
            self.passed += count(counts, "passed");
            self.failed += count(counts, "failed");
        } else if let Some(name) = ignored(line) {
            self.ignored.push(name);
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

    pub(super) fn ignored(&self) -> &[String] {
        &self.ignored
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

/// `test name ... ignored, reason` gives `name, reason`.
fn ignored(line: &str) -> Option<String> {
    let (name, verdict) = line.strip_prefix("test ")?.rsplit_once(" ... ")?;
    let reason = verdict.strip_prefix("ignored")?;
    Some(format!("{}{reason}", name.trim()))
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
        let tally = tally(&[
            "test jobs::JQ-3 ... ignored",
            "test a::b ... ignored, no server",
            "test src/lib.rs - x (line 3) ... ignored",
        ]);
        assert_eq!(tally.ignored(), ["jobs::JQ-3", "a::b, no server", "src/lib.rs - x (line 3)"]);
    }
}
