//! File lengths, file names, and the size of the reference app.

use std::path::PathBuf;

use crate::failure::Outcome;
use crate::findings::{Findings, Problem};
use crate::rust_source::{is_test_file, lines_of_code, test_lines};
use crate::workspace::Workspace;

const LONGEST_FILE: usize = 500;
const LONGEST_SUITE: usize = 600;
const REFERENCE_APP: usize = 3_100;

/// Names that say nothing about what a file holds.
const EMPTY_NAMES: [&str; 10] =
    ["common", "helper", "helpers", "manager", "managers", "misc", "shared", "types", "util", "utils"];

/// A Rust file: where it lies and what it says.
#[derive(Debug)]
struct SourceFile {
    path: PathBuf,
    text: String,
}

/// Measures every Rust file of the repository.
pub(crate) fn check(workspace: &Workspace) -> Outcome<Findings> {
    let mut files = Vec::new();
    for path in workspace.files("", "rs")? {
        files.push(SourceFile { text: workspace.read(&path)?, path });
    }
    let mut findings: Findings =
        files.iter().flat_map(|file| [too_long(file), empty_name(file)]).flatten().collect();
    findings.absorb(reference_app(&files));
    Ok(findings)
}

fn too_long(file: &SourceFile) -> Option<Problem> {
    let is_suite = file.path.starts_with("testkit/src/conformance");
    let limit = if is_suite { LONGEST_SUITE } else { LONGEST_FILE };
    let lines = file.text.lines().count();
    (lines > limit).then(|| {
        Problem::new(
            file.path.display().to_string(),
            format!("{lines} lines, {limit} are allowed"),
            "a file is one concept: name the second one and give it a file",
        )
    })
}

fn empty_name(file: &SourceFile) -> Option<Problem> {
    let without_extension = file.path.with_extension("");
    let name = without_extension.iter().find(|part| EMPTY_NAMES.iter().any(|empty| part == empty))?;
    Some(Problem::new(
        file.path.display().to_string(),
        format!("`{}` does not say what is inside", name.to_string_lossy()),
        "name the file after the one concept it holds",
    ))
}

/// Counts the reference app: the lines of code of its Rust files, without blank lines, comments and tests.
fn reference_app(files: &[SourceFile]) -> Findings {
    let shipped =
        || files.iter().filter(|file| file.path.starts_with("reference-app") && !is_test_file(&file.path));
    let lines: usize = shipped().map(|file| lines_of_code(&file.text)).sum();
    let all: usize = shipped().map(|file| file.text.lines().count() - test_lines(&file.text)).sum();
    let mut findings = Findings::default();
    findings.note(format!(
        "the reference app has {lines} lines of code without tests and SQL ({REFERENCE_APP} allowed), {all} with blank \
         lines and comments"
    ));
    if lines > REFERENCE_APP {
        findings.problem(Problem::new(
            "reference-app/",
            format!("{lines} lines, {REFERENCE_APP} are allowed"),
            "what every team would write again belongs in a crate of the framework; the rest can go",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, lines: usize) -> SourceFile {
        SourceFile { path: path.into(), text: "x\n".repeat(lines) }
    }

    #[test]
    fn a_file_may_have_500_lines_and_a_suite_600() {
        assert_eq!(too_long(&file("core/src/a.rs", 500)), None);
        assert!(too_long(&file("core/src/a.rs", 501)).is_some());
        assert_eq!(too_long(&file("testkit/src/conformance/jobs.rs", 600)), None);
        assert!(too_long(&file("testkit/src/conformance/jobs.rs", 601)).is_some());
    }

    #[test]
    fn empty_names_are_refused_as_file_and_as_folder() {
        for path in ["core/src/utils.rs", "core/tests/common/mod.rs", "ports/src/jobs/types.rs"] {
            assert!(empty_name(&file(path, 1)).is_some(), "{path}");
        }
        for path in ["core/src/utilization.rs", "core/tests/support/mod.rs"] {
            assert_eq!(empty_name(&file(path, 1)), None, "{path}");
        }
    }

    #[test]
    fn the_reference_app_is_counted_without_tests() {
        let mut with_tests = file("reference-app/src/main.rs", 10);
        with_tests.text.push_str("#[cfg(test)]\nmod tests {\n}\n");
        let files = [
            with_tests,
            file("reference-app/modules/invoices/src/module.rs", 3_090),
            file("reference-app/tests/http.rs", 900),
            file("core/src/lib.rs", 900),
        ];
        let findings = reference_app(&files);
        assert_eq!(findings.problems, []);
        assert!(findings.notes[0].contains("3100 lines of code"), "{:?}", findings.notes);
    }

    #[test]
    fn a_reference_app_that_grows_over_its_size_fails() {
        assert_eq!(reference_app(&[file("reference-app/src/main.rs", 3_101)]).problems.len(), 1);
    }
}
