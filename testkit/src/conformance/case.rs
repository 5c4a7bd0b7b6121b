//! One case, and running many.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Duration;

use futures_util::future::BoxFuture;
use libtest_mimic::{Arguments, Completion, Failed, Trial};

use super::failure::{CaseResult, Failure};
use super::record::{Entry, Record};

/// How long a case may take, the making of its harness included.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// What became of a case.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "a case passes, fails or is ignored")]
pub enum Outcome {
    /// The promise holds.
    Passed,
    /// The promise is broken, or the harness could not be made; with the reason.
    Failed(String),
    /// The adapter does not have this capability.
    Ignored(&'static str),
}

/// A case of a suite, ready to run on a fresh harness.
pub struct Case {
    name: String,
    entry: Entry,
    missing: Option<&'static str>,
    deadline: Duration,
    start: Box<dyn FnOnce() -> BoxFuture<'static, CaseResult> + Send>,
}

impl Case {
    pub(super) fn new(
        entry: Entry,
        missing: Option<&'static str>,
        start: Box<dyn FnOnce() -> BoxFuture<'static, CaseResult> + Send>,
    ) -> Self {
        let name = format!("{} {} {}", entry.adapter, entry.suite, entry.case);
        Self { name, entry, missing, deadline: DEADLINE, start }
    }

    /// Its name: label of the suite, rule, sentence.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same case, with another deadline than [`DEADLINE`].
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same case, ignored: what it runs against is not there, such as a server.
    #[must_use]
    pub fn without(mut self, what: &'static str) -> Self {
        self.missing = Some(what);
        self
    }

    /// Runs it to its end, on a runtime of its own.
    pub fn outcome(self) -> Outcome {
        if let Some(capability) = self.missing {
            return Outcome::Ignored(capability);
        }
        let (start, deadline) = (self.start, self.deadline);
        match catch_unwind(AssertUnwindSafe(|| run_until(start, deadline))) {
            Ok(Ok(())) => Outcome::Passed,
            Ok(Err(failure)) => Outcome::Failed(failure.to_string()),
            Err(panic) => Outcome::Failed(format!("panicked: {}", panic_text(&*panic))),
        }
    }

    #[cfg(test)]
    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    fn into_trial(self, record: Option<Record>) -> Trial {
        Trial::ignorable_test(self.name.clone(), move || {
            let entry = self.entry.clone();
            let outcome = self.outcome();
            if let Some(record) = record {
                record.add(&entry, &outcome)?;
            }
            match outcome {
                Outcome::Passed => Ok(Completion::Completed),
                Outcome::Failed(reason) => Err(Failed::from(reason)),
                Outcome::Ignored(capability) => Ok(Completion::ignored_with(format!("without {capability}"))),
            }
        })
    }
}

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Case")
            .field("name", &self.name)
            .field("missing", &self.missing)
            .finish_non_exhaustive()
    }
}

fn run_until(start: impl FnOnce() -> BoxFuture<'static, CaseResult>, deadline: Duration) -> CaseResult {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(async {
        tokio::time::timeout(deadline, start())
            .await
            .unwrap_or_else(|_| Err(Failure::new(format!("not done after {deadline:?}"))))
    });
    // A case that hangs must not hang the run: what it left behind is not waited for.
    runtime.shutdown_background();
    result
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}

/// Runs cases as a test binary does: filters, `--list` and the exit code are those of `cargo test`. When
/// [`RECORD_VARIABLE`](super::RECORD_VARIABLE) names a file, each case adds a line to it.
pub fn run(cases: impl IntoIterator<Item = Case>) -> ExitCode {
    let record = Record::from_environment();
    let trials = cases.into_iter().map(|case| case.into_trial(record.clone())).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
