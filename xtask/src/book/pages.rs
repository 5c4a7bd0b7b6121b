//! Which pages exist, are listed, and have their samples compiled.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::book::SOURCE;
use crate::book::summary::Summary;
use crate::findings::Problem;

/// Compares the table of contents with the files and with the `include_str!` lines of `book/src/lib.rs`.
pub(super) fn check(summary: &Summary, files: &[PathBuf], compiled: &str) -> Vec<Problem> {
    let listed: BTreeSet<String> = summary.pages().map(str::to_owned).collect();
    let present: BTreeSet<String> = files.iter().filter_map(|file| below_source(file)).collect();
    let included = included(compiled);
    let missing = |from: &BTreeSet<String>, in_: &BTreeSet<String>, place: &str, rule: &str, fix: &str| {
        from.difference(in_)
            .map(|page| Problem::new(format!("{place}: {page}"), rule.to_owned(), fix.to_owned()))
            .collect::<Vec<_>>()
    };
    let mut problems = missing(
        &listed,
        &present,
        "book/src/SUMMARY.md",
        "lists a page that does not exist",
        "write the page or remove the line",
    );
    problems.extend(missing(
        &present,
        &listed,
        SOURCE,
        "the page is not in SUMMARY.md, so nobody finds it",
        "list it in SUMMARY.md",
    ));
    problems.extend(missing(
        &listed,
        &included,
        "book/src/lib.rs",
        "the samples of this page are not compiled",
        "add a module with `#[doc = include_str!(\"…\")]`",
    ));
    problems.extend(missing(
        &included,
        &listed,
        "book/src/lib.rs",
        "compiles a page that SUMMARY.md does not list",
        "list it in SUMMARY.md or remove the module",
    ));
    problems
}

fn below_source(file: &Path) -> Option<String> {
    let page = file.strip_prefix(SOURCE).ok()?.to_string_lossy().into_owned();
    (page != "SUMMARY.md").then_some(page)
}

/// The Markdown files that `include_str!("…")` names.
fn included(source: &str) -> BTreeSet<String> {
    source
        .split("include_str!(")
        .skip(1)
        .filter_map(|rest| rest.split('"').nth(1))
        .filter(|path| Path::new(path).extension().is_some_and(|extension| extension == "md"))
        .map(|path| path.trim_start_matches("./").to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(listed: &[&str], files: &[&str], compiled: &[&str]) -> Vec<String> {
        let summary = listed.iter().map(|page| format!("- [x]({page})")).collect::<Vec<_>>().join("\n");
        let files: Vec<PathBuf> = files.iter().map(|file| Path::new(SOURCE).join(file)).collect();
        let compiled =
            compiled.iter().map(|page| format!("#[doc = include_str!(\"{page}\")]")).collect::<Vec<_>>();
        let compiled = compiled.join("\nmod x {}\n");
        check(&Summary::parse(&summary), &files, &compiled).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn three_equal_lists_pass() {
        assert!(
            problems(&["a.md", "b/c.md"], &["SUMMARY.md", "a.md", "b/c.md"], &["a.md", "b/c.md"]).is_empty()
        );
    }

    #[test]
    fn each_missing_entry_is_named() {
        for (listed, files, compiled, expected) in [
            (&["a.md"][..], &[][..], &["a.md"][..], "does not exist"),
            (&[], &["a.md"], &[], "not in SUMMARY.md"),
            (&["a.md"], &["a.md"], &[], "are not compiled"),
            (&[], &[], &["a.md"], "SUMMARY.md does not list"),
        ] {
            let found = problems(listed, files, compiled);
            assert!(
                found.len() == 1 && found[0].contains(expected) && found[0].contains("a.md"),
                "{found:?}"
            );
        }
    }
}
