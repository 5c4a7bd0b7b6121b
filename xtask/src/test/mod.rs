//! `cargo xtask test`: all tests, with the servers they need.

pub(crate) mod servers;
mod tally;

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use crate::conformance::Recording;
use crate::failure::{Failure, Outcome, While as _};
use crate::process;
use crate::tour;
use crate::workspace::Workspace;

use self::servers::{Servers, VARIABLES};
pub(crate) use self::tally::Tally;

/// Runs all tests and prints the summary as the last line, also when something failed.
pub(crate) fn run(workspace: &Workspace) -> Outcome<()> {
    let (tally, outcome) = run_all(workspace);
    if let Err(failure) = &outcome {
        println!("test: {failure}");
    }
    println!("{tally}");
    outcome.map_err(|_| Failure::told())
}

/// Runs the tests of these packages and targets with all features, all servers and one more variable; `true` when
/// everything passed.
pub(crate) fn run_suites(
    workspace: &Workspace,
    selection: &[&str],
    variable: (&'static str, String),
) -> Outcome<bool> {
    let servers = Servers::find_or_start()?;
    for line in servers.described() {
        println!("{line}");
    }
    let mut variables = servers.variables();
    variables.push(variable);
    let arguments = [&["--all-features"], selection].concat();
    cargo_test(workspace, &arguments, &variables, &mut Tally::default())
}

/// Runs the tests of the default features without any server, then those of all features with all servers.
///
/// The first run is the README's command and proves that Rust alone is enough; it also compiles what is only there
/// when a driver is left out. Each run includes doc tests and examples. The README's tour comes last.
pub(crate) fn run_all(workspace: &Workspace) -> (Tally, Outcome<()>) {
    let mut tally = Tally::default();
    let outcome = with_servers(workspace, &mut tally);
    for name in tally.ignored() {
        println!("never ran: {name}");
    }
    (tally, outcome)
}

fn with_servers(workspace: &Workspace, tally: &mut Tally) -> Outcome<()> {
    // The servers first: if one cannot be had, one learns that before the compiler has run for minutes.
    let servers = Servers::find_or_start()?;
    for line in servers.described() {
        println!("{line}");
    }
    let recording = Recording::start()?;
    let with_servers = [servers.variables(), vec![recording.variable()]].concat();
    let mut failed = Vec::new();
    for (features, variables) in [(&[][..], Vec::new()), (&["--all-features"][..], with_servers)] {
        if !cargo_test(workspace, &[&["--workspace"], features].concat(), &variables, tally)? {
            failed.push(["cargo test --workspace", features.concat().as_str()].join(" ").trim().to_owned());
        }
    }
    if failed.is_empty() {
        match recording.compare(workspace) {
            Ok(None) => tally.add_pass(),
            Ok(Some(note)) => println!("note: {note}"),
            Err(failure) => {
                println!("conformance: {failure}");
                tally.add_failure();
                failed.push("the tables of the book".to_owned());
            }
        }
    }
    match tour::run(workspace) {
        Ok(()) => tally.add_pass(),
        Err(failure) => {
            println!("tour: {failure}");
            tally.add_failure();
            failed.push("cargo xtask tour".to_owned());
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::new(format!("failed: {}", failed.join(", ")))) }
}

/// Runs `cargo test` with these variables and no others about servers, passes its output through and counts results on the way; `true` when everything passed.
fn cargo_test(
    workspace: &Workspace,
    arguments: &[&str],
    variables: &[(&str, String)],
    tally: &mut Tally,
) -> Outcome<bool> {
    let mut command = process::cargo(workspace.root());
    command.args(["test", "--no-fail-fast"]).args(arguments);
    for variable in VARIABLES {
        command.env_remove(variable);
    }
    for (name, value) in variables {
        command.env(name, value);
    }
    println!("$ {}{}", process::shown(&command), if variables.is_empty() { "" } else { "   (with servers)" });
    let mut child = command.stdout(Stdio::piped()).spawn().while_doing("start `cargo test`")?;
    let output = child.stdout.take().ok_or_else(|| Failure::new("`cargo test` has no output"))?;
    let failed_before = tally.failed();
    let mut screen = std::io::stdout().lock();
    for line in BufReader::new(output).split(b'\n') {
        let line = line.while_doing("read the output of `cargo test`")?;
        screen.write_all(&line)?;
        screen.write_all(b"\n")?;
        tally.read(&String::from_utf8_lossy(&line));
    }
    let success = child.wait().while_doing("wait for `cargo test`")?.success();
    if !success && tally.failed() == failed_before {
        // A program that did not compile, crashed or was killed prints no result line.
        tally.add_failure();
    }
    Ok(success)
}
