//! `cargo xtask ci`: what continuous integration runs.

use std::time::Instant;

use crate::failure::{Failure, Outcome};
use crate::workspace::Workspace;
use crate::{check, test};

/// A part of the run.
type Part = (&'static str, fn(&Workspace) -> Outcome<()>);

/// The parts in their order. `test` is the last, because its summary is the last line of the run.
const PARTS: [Part; 2] = [("check", check::run), ("test", test::run)];

/// Runs every part, also after a failure, and fails if one of them did.
pub(crate) fn run(workspace: &Workspace) -> Outcome<()> {
    let mut failed = Vec::new();
    for (name, part) in PARTS {
        println!("=== {name}");
        let start = Instant::now();
        if let Err(failure) = part(workspace) {
            eprintln!("{name}: {failure}");
            failed.push(name);
        }
        eprintln!("=== {name} took {:.0} s", start.elapsed().as_secs_f32());
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", failed.join(", ")))) }
}
