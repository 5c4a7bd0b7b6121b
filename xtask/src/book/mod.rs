//! The book: its chapters are complete, listed, compiled, and it builds.

mod chapters;
mod pages;
mod summary;

use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::findings::Findings;
use crate::process;
use crate::tool::Tool;
use crate::workspace::Workspace;

use self::summary::Summary;

const SOURCE: &str = "book/src";

const MDBOOK: Tool = Tool {
    name: "mdbook",
    version: "0.5.4",
    wheel: None,
    install: &["--no-default-features", "--features", "search", "--debug"],
};

/// Checks the book and builds it into `book/book`.
pub(crate) fn run(workspace: &Workspace) -> Outcome<()> {
    let mut findings = check_pages(workspace)?;
    findings.absorb(check_chapters(workspace)?);
    findings.conclude("chapters")?;
    let mut build = Command::new(MDBOOK.find_or_install(workspace)?);
    build.arg("build").arg(workspace.root().join("book"));
    if process::succeeds(&mut build)? {
        println!("open {}", workspace.root().join("book/book/index.html").display());
        return Ok(());
    }
    Err(Failure::new("mdbook could not build the book (its message is above)"))
}

/// SUMMARY.md, the files and the list of compiled pages name the same pages.
pub(crate) fn check_pages(workspace: &Workspace) -> Outcome<Findings> {
    let Some(summary) = summary(workspace)? else { return Ok(absent()) };
    let files = workspace.files(SOURCE, "md")?;
    let compiled = workspace.read("book/src/lib.rs")?;
    Ok(pages::check(&summary, &files, &compiled).into())
}

/// Each chapter opens with a question and ends with its trade-offs.
pub(crate) fn check_chapters(workspace: &Workspace) -> Outcome<Findings> {
    let Some(summary) = summary(workspace)? else { return Ok(absent()) };
    let mut findings = Findings::default();
    for chapter in summary.chapters() {
        if workspace.root().join(SOURCE).join(chapter).is_file() {
            let text = workspace.read(format!("{SOURCE}/{chapter}"))?;
            findings.absorb(chapters::check(&format!("{SOURCE}/{chapter}"), &text).into());
        }
    }
    Ok(findings)
}

fn summary(workspace: &Workspace) -> Outcome<Option<Summary>> {
    if !workspace.root().join(SOURCE).join("SUMMARY.md").is_file() {
        return Ok(None);
    }
    Ok(Some(Summary::parse(&workspace.read(format!("{SOURCE}/SUMMARY.md"))?)))
}

fn absent() -> Findings {
    let problem =
        crate::findings::Problem::new("book/src/SUMMARY.md", "is missing", "list the chapters there");
    Findings::from(vec![problem])
}
