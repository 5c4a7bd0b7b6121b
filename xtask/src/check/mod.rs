//! `cargo xtask check`: everything that needs no test run, all failures at once.

mod cargo_steps;

use std::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::findings::{Findings, Problem};
use crate::workspace::Workspace;
use crate::{arch, book, deny, documents, marks, migrations, sizes};

/// A step: its name and what it does.
type Step = (&'static str, fn(&Workspace) -> Outcome<Findings>);

/// Cheap steps first, so that a slip shows before the compiler starts.
const STEPS: [Step; 13] = [
    ("fmt", cargo_steps::format),
    ("lock files", cargo_steps::lock_files),
    ("sizes", sizes::check),
    ("marks", marks::check),
    ("arch", arch::check),
    ("documents", documents::check),
    ("migrations", migrations::check),
    ("book pages", book::check_pages),
    ("book chapters", book::check_chapters),
    ("deny", deny::check),
    ("clippy", cargo_steps::clippy_default),
    ("clippy --all-features", cargo_steps::clippy_all_features),
    ("docs", cargo_steps::documentation),
];

/// Runs all steps, prints the seconds of each, and lists all failures at the end.
pub(crate) fn run(workspace: &Workspace) -> Outcome<()> {
    let start = Instant::now();
    let mut failures = Vec::new();
    for (name, step) in STEPS {
        failures.extend(run_step(workspace, name, step));
    }
    println!("check: {} steps in {:.1} s", STEPS.len(), start.elapsed().as_secs_f32());
    if failures.is_empty() {
        return Ok(());
    }
    println!("\nWhat has to change:");
    for (step, problem) in &failures {
        println!("  [{step}] {problem}");
    }
    Err(Failure::new(format!("check found {} problem(s)", failures.len())))
}

fn run_step(
    workspace: &Workspace,
    name: &'static str,
    step: fn(&Workspace) -> Outcome<Findings>,
) -> Vec<(&'static str, Problem)> {
    let start = Instant::now();
    let findings = step(workspace).unwrap_or_else(|failure| {
        Findings::from(vec![Problem::new("the step could not run", failure.to_string(), "see the message")])
    });
    for note in &findings.notes {
        println!("  note: {note}");
    }
    let verdict = if findings.problems.is_empty() { "ok" } else { "FAILED" };
    println!("{verdict:>6}  {name:<24} {:>6.1} s", start.elapsed().as_secs_f32());
    findings.problems.into_iter().map(|problem| (name, problem)).collect()
}
