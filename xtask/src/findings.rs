//! What a check found: problems that fail it, and notes that do not.

use std::fmt;

use crate::failure::{Failure, Outcome};

/// One broken rule: where, what, and the fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) place: String,
    pub(crate) rule: String,
    pub(crate) fix: String,
}

impl Problem {
    pub(crate) fn new(place: impl Into<String>, rule: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { place: place.into(), rule: rule.into(), fix: fix.into() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}\n      fix: {}", self.place, self.rule, self.fix)
    }
}

/// The result of one check.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) problems: Vec<Problem>,
    pub(crate) notes: Vec<String>,
}

impl Findings {
    pub(crate) fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    pub(crate) fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }

    pub(crate) fn absorb(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.notes.extend(other.notes);
    }

    /// Prints everything and fails if there is a problem: the end of a verb that is a single check.
    pub(crate) fn conclude(self, check: &str) -> Outcome<()> {
        for note in &self.notes {
            println!("note: {note}");
        }
        for problem in &self.problems {
            println!("{problem}");
        }
        match self.problems.len() {
            0 => {
                println!("{check}: ok");
                Ok(())
            }
            1 => Err(Failure::new(format!("{check}: 1 problem"))),
            count => Err(Failure::new(format!("{check}: {count} problems"))),
        }
    }
}

impl From<Vec<Problem>> for Findings {
    fn from(problems: Vec<Problem>) -> Self {
        Self { problems, notes: Vec::new() }
    }
}

impl FromIterator<Problem> for Findings {
    fn from_iter<I: IntoIterator<Item = Problem>>(problems: I) -> Self {
        Self { problems: problems.into_iter().collect(), notes: Vec::new() }
    }
}
