//! What is wrong with a configuration.

use std::fmt;

/// One thing that is wrong, and how to repair it: one line for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigProblem {
    severity: &'static str,
    code: &'static str,
    message: String,
    fix: String,
}

impl ConfigProblem {
    /// A problem that keeps the process from starting. `code` is stable, such as `config/pool-budget`; `fix` an imperative.
    pub fn error(code: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: "error", code, message: message.into(), fix: fix.into() }
    }

    /// A problem that is worth a line in the log.
    pub fn warning(code: &'static str, message: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { severity: "warning", ..Self::error(code, message, fix) }
    }

    /// The stable name of this kind of problem.
    pub fn code(&self) -> &'static str {
        self.code
    }

    pub(super) fn is_warning(&self) -> bool {
        self.severity == "warning"
    }
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { severity, code, message, fix } = self;
        let stop = if message.ends_with('?') { "" } else { "." };
        write!(f, "{severity}[{code}]: {message}{stop} fix: {fix}")
    }
}

/// All that is wrong with a configuration, one line each. The process ends with exit code 2.
///
/// `Debug` is as readable as `Display`, because that is what Rust prints of an error that `main` returns.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigProblems(pub(super) Vec<ConfigProblem>);

impl ConfigProblems {
    /// The problems in the order in which they were found.
    pub fn iter(&self) -> impl Iterator<Item = &ConfigProblem> {
        self.0.iter()
    }
}

impl fmt::Display for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, problem) in self.0.iter().enumerate() {
            let line_feed = if number > 0 { "\n" } else { "" };
            write!(f, "{line_feed}{problem}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for ConfigProblems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration is wrong\n{self}")
    }
}

impl std::error::Error for ConfigProblems {}
