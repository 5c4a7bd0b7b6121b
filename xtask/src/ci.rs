//! `cargo xtask ci`: what continuous integration runs.

use std::time::Instant;

use crate::bench;
use crate::book;
use crate::chaos;
use crate::check;
use crate::failure::{Failure, Outcome};
use crate::test::{self, Tally};
use crate::workspace::Workspace;

/// A part of the run.
type Part = (&'static str, fn(&Workspace) -> Outcome<()>);

/// The parts before the tests; after them come chaos, with the programs that they have built, and whether the bench still
/// compiles. The tests' summary is the last line of the run.
const PARTS: [Part; 2] = [("check", check::run), ("book", book::run)];

/// Runs every part, also after a failure, and fails if one of them did.
pub(crate) fn run(workspace: &Workspace) -> Outcome<()> {
    let mut failures = Vec::new();
    for (name, part) in PARTS {
        failures.extend(timed(name, || part(workspace)));
    }
    let mut tally = Tally::default();
    failures.extend(timed("test", || {
        let outcome;
        (tally, outcome) = test::run_all(workspace);
        outcome
    }));
    failures.extend(timed("chaos", || chaos::run_slice(workspace)));
    failures.extend(timed("bench", || bench::check(workspace)));
    for failure in &failures {
        println!("ci: {failure}");
    }
    println!("{tally}");
    if failures.is_empty() { Ok(()) } else { Err(Failure::told()) }
}

/// Runs one part under a headline; gives the failure, with the part's name.
fn timed(name: &str, part: impl FnOnce() -> Outcome<()>) -> Option<String> {
    println!("\n=== {name}");
    let start = Instant::now();
    let outcome = part();
    println!("=== {name} took {:.0} s", start.elapsed().as_secs_f32());
    outcome.err().map(|failure| format!("{name}: {failure}"))
}
