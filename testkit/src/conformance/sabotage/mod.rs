//! Proof that the suites can fail: a fake with one flaw turns the cases of the broken promise red.

mod broken_database;
mod broken_queue;
mod database;
mod jobs;
mod outside;
mod small;
mod stores;

use super::case::{Case, Outcome};
use super::record::Record;

/// Runs the cases of these names (without label and port), all of which have to be there, and asserts that each fails;
/// records that it did, in a run that is recorded.
fn assert_red(flaw: &dyn std::fmt::Debug, cases: Vec<Case>, names: &[&str]) {
    let mut chosen: Vec<Case> = Vec::new();
    for case in cases {
        if names.iter().any(|name| case.name().ends_with(name)) {
            chosen.push(case);
        }
    }
    assert_eq!(chosen.len(), names.len(), "{flaw:?} names cases that are not there: {names:?}");
    let record = Record::from_environment();
    for case in chosen {
        let (name, entry) = (case.name().to_owned(), case.entry().clone());
        let outcome = case.outcome();
        assert!(matches!(outcome, Outcome::Failed(_)), "{flaw:?} should turn {name} red: {outcome:?}");
        if let Some(record) = &record {
            record.add_red(&format!("{flaw:?}"), &entry).unwrap();
        }
    }
}

/// Runs all cases and asserts that none fails: what is red with a flaw is green without it.
fn assert_green(cases: Vec<Case>) {
    for case in cases {
        let name = case.name().to_owned();
        let outcome = case.outcome();
        assert!(!matches!(outcome, Outcome::Failed(_)), "{name} without a flaw: {outcome:?}");
    }
}
