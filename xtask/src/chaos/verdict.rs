//! Green or red, and why.

use std::fmt;

use crate::failure::Outcome;

/// What is wrong with a run.
#[derive(Debug, Clone, Default)]
pub(super) struct Verdict {
    /// Promises of the framework that were broken: what a sabotaged run must show.
    broken: Vec<String>,
    /// What else was not as planned.
    unexpected: Vec<String>,
}

impl Verdict {
    pub(super) fn promise(&mut self, kept: bool, problem: impl FnOnce() -> String) {
        if !kept {
            self.broken.push(problem());
        }
    }

    pub(super) fn expect(&mut self, holds: bool, problem: impl FnOnce() -> String) {
        if !holds {
            self.unexpected.push(problem());
        }
    }

    /// Takes over what is wrong with another part of the run.
    pub(super) fn add(&mut self, other: Self) {
        self.broken.extend(other.broken);
        self.unexpected.extend(other.unexpected);
    }

    /// The verdict of a fault that is played on one server after the other: of the first that decides. A red run is red, and a
    /// sabotage that went unnoticed is blind, whatever comes after it.
    pub(super) fn of_runs(is_sabotaged: bool, runs: impl Iterator<Item = Outcome<Self>>) -> Outcome<Self> {
        let mut verdict = Self::default();
        for run in runs {
            verdict = run?;
            if verdict.is_green() == is_sabotaged {
                break;
            }
        }
        Ok(verdict)
    }

    pub(super) fn is_green(&self) -> bool {
        self.broken.is_empty() && self.unexpected.is_empty()
    }

    /// Whether the run noticed that a guard was left out.
    pub(super) fn broke_a_promise(&self) -> bool {
        !self.broken.is_empty()
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_green() { "green" } else { "RED" })?;
        for problem in self.broken.iter().chain(&self.unexpected) {
            write!(f, "\n     {problem}")?;
        }
        Ok(())
    }
}

/// What a run found: figures for the terminal, and what is wrong with them.
pub(super) trait Figures: fmt::Display {
    fn verdict(&self) -> Verdict;

    /// Prints them as what a fault did on a server.
    fn report(&self, fault: &str, on: &str, sabotage: Option<&str>) -> Verdict {
        let left_out = sabotage.map(|sabotage| format!(", {sabotage}")).unwrap_or_default();
        println!("{fault} on {on}{left_out}: {self}");
        self.verdict()
    }
}

/// How many there are, and the first ones.
pub(super) fn some(names: &[String]) -> String {
    let first: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = if names.len() > first.len() { ", …" } else { "" };
    format!("{} ({}{more})", names.len(), first.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unexpected_run_is_red_and_proves_nothing_about_a_guard() {
        let mut verdict = Verdict::default();
        verdict.promise(true, || "no".to_owned());
        assert!(verdict.is_green());
        verdict.expect(false, || "too few kills".to_owned());
        assert!(!verdict.is_green() && !verdict.broke_a_promise());
        verdict.promise(false, || format!("lost: {}", some(&["a", "b", "c", "d"].map(str::to_owned))));
        assert!(verdict.broke_a_promise());
        assert_eq!(verdict.to_string(), "RED\n     lost: 4 (a, b, c, …)\n     too few kills");
    }
}
