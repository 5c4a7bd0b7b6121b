//! What the clients were answered, and when.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use super::http::Answer;

/// Everything that came back, good or not.
#[derive(Debug, Clone, Default)]
pub(in crate::chaos) struct Answers {
    /// When a request was carried out, in this order.
    pub(in crate::chaos) successes: Vec<Instant>,
    /// Failures of the server: how many of each.
    pub(in crate::chaos) failures: BTreeMap<Refusal, usize>,
    /// Requests to which no whole answer came.
    pub(in crate::chaos) unanswered: usize,
    /// The longest that a request took, with an answer or without.
    pub(in crate::chaos) slowest: Duration,
}

/// How the server put a client off.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::chaos) struct Refusal {
    pub(in crate::chaos) status: u16,
    /// The code of the problem; empty when the answer is none.
    pub(in crate::chaos) code: String,
    pub(in crate::chaos) says_when_to_retry: bool,
}

impl Answers {
    /// Notes what became of a request that was asked at a moment.
    pub(super) fn note(&mut self, asked: Instant, answer: Option<&Answer>) {
        self.slowest = self.slowest.max(asked.elapsed());
        match answer {
            Some(answer) if answer.status >= 500 => {
                let refusal = Refusal {
                    status: answer.status,
                    code: answer.code().to_owned(),
                    says_when_to_retry: answer.retry_after.is_some(),
                };
                *self.failures.entry(refusal).or_default() += 1;
            }
            Some(_) => self.successes.push(Instant::now()),
            None => self.unanswered += 1,
        }
    }

    /// The failures that are not a problem with this status, one of these codes and a time for the next try.
    pub(in crate::chaos) fn failures_other_than(&self, status: u16, codes: &[&str]) -> Vec<String> {
        let is_such = |refusal: &Refusal| {
            refusal.status == status && codes.contains(&refusal.code.as_str()) && refusal.says_when_to_retry
        };
        self.failures.iter().filter(|(one, _)| !is_such(one)).map(|(one, n)| format!("{n} x {one}")).collect()
    }

    /// How many failures had this code.
    pub(in crate::chaos) fn count_of(&self, code: &str) -> usize {
        self.failures.iter().filter(|(refusal, _)| refusal.code == code).map(|(_, count)| count).sum()
    }

    /// How many requests the server failed.
    pub(in crate::chaos) fn failed(&self) -> usize {
        self.failures.values().sum()
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let when = if self.says_when_to_retry { "" } else { " without Retry-After" };
        write!(f, "{} {}{when}", self.status, self.code)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_failure_that_does_not_say_what_to_do_is_told_apart() {
        let mut answers = Answers::default();
        let failure = |retry_after| Answer { status: 503, retry_after, body: json!({ "code": "a/b" }) };
        answers.note(Instant::now(), Some(&failure(Some(1))));
        assert!(answers.failures_other_than(503, &["a/b"]).is_empty());
        assert_eq!(answers.failures_other_than(503, &["b/a"]), ["1 x 503 a/b"]);
        answers.note(Instant::now(), Some(&failure(None)));
        answers.note(Instant::now(), None);
        answers.note(Instant::now(), Some(&Answer { status: 409, retry_after: None, body: Value::Null }));
        assert_eq!(answers.failures_other_than(503, &["a/b"]), ["1 x 503 a/b without Retry-After"]);
        assert_eq!((answers.failed(), answers.unanswered, answers.successes.len()), (2, 1, 1));
    }
}
