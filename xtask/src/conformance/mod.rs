//! `cargo xtask conformance`: runs the suites, prints which adapter keeps what, and holds the book to it.
//!
//! Nothing in the tables is written by hand: each cell is what a run recorded.

mod page;
mod record;
mod tables;

use clap::Args;
use tempfile::TempDir;

use crate::failure::{Failure, Outcome, While as _};
use crate::test;
use crate::workspace::Workspace;

use self::record::Record;

/// The page of the book that shows the tables.
const PAGE: &str = "book/src/conformance.md";
/// The variable that tells the suites where to record what they found; see `dolmen_testkit::conformance`.
const VARIABLE: &str = "CONFORMANCE_RECORD";
/// The programs that run suites. The library's tests are the planted defects.
const SUITES: [&str; 9] = [
    "--package",
    "dolmen-testkit",
    "--package",
    "dolmen-sql",
    "--package",
    "dolmen-directory",
    "--lib",
    "--test",
    "conformance",
];

/// What `cargo xtask conformance` can be told.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Puts the tables into the book, instead of only comparing them.
    #[arg(long)]
    write: bool,
}

/// Runs all suites with all servers and prints the tables; fails when a case did, or when the book shows other ones.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Outcome<()> {
    let recording = Recording::start()?;
    let passed = test::run_suites(workspace, &SUITES, recording.variable())?;
    let record = recording.end()?;
    let printed = tables::of(&record);
    println!("\n{printed}");
    if !passed {
        return Err(Failure::new("a case failed (its reason is above); the tables count it as not passed"));
    }
    if let Some(variable) = record.missing_server() {
        return Err(Failure::new(format!("there was no server for {variable}, so the tables are not whole")));
    }
    let text = workspace.read(PAGE)?;
    let updated = page::with_tables(&text, &printed)?;
    match (updated == text, options.write) {
        (true, _) => println!("conformance: ok, and {PAGE} shows these tables"),
        (false, true) => {
            std::fs::write(workspace.root().join(PAGE), updated).while_doing(format!("write {PAGE}"))?;
            println!("conformance: ok; {PAGE} shows these tables now");
        }
        (false, false) => return Err(outdated()),
    }
    Ok(())
}

fn outdated() -> Failure {
    Failure::new(format!(
        "{PAGE} shows other tables; run `cargo xtask conformance --write` and look at what changed"
    ))
}

/// What the suites of a run record, on the way.
#[derive(Debug)]
pub(crate) struct Recording {
    folder: TempDir,
}

impl Recording {
    pub(crate) fn start() -> Outcome<Self> {
        Ok(Self { folder: TempDir::new().while_doing("make a folder for what the suites record")? })
    }

    /// What has to be set for the suites.
    pub(crate) fn variable(&self) -> (&'static str, String) {
        (VARIABLE, self.folder.path().join("record.jsonl").display().to_string())
    }

    fn end(self) -> Outcome<Record> {
        let text = std::fs::read_to_string(self.folder.path().join("record.jsonl"));
        Record::parse(&text.while_doing("read what the suites recorded")?)
    }

    /// Compares the book with what was recorded during a run of all tests in which nothing failed. Without some server
    /// there is nothing to compare; gives a line that says so.
    pub(crate) fn compare(self, workspace: &Workspace) -> Outcome<Option<String>> {
        let record = self.end()?;
        if let Some(variable) = record.missing_server() {
            return Ok(Some(format!(
                "the tables of {PAGE} were not compared: there was no server for {variable}"
            )));
        }
        let text = workspace.read(PAGE)?;
        let updated = page::with_tables(&text, &tables::of(&record))?;
        if updated == text { Ok(None) } else { Err(outdated()) }
    }
}
