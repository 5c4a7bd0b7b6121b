//! The steps of `check` that cargo does.

use std::process::Command;

use crate::failure::Outcome;
use crate::findings::{Findings, Problem};
use crate::process;
use crate::workspace::Workspace;

pub(super) fn format(workspace: &Workspace) -> Outcome<Findings> {
    let mut command = process::cargo(workspace.root());
    command.args(["fmt", "--all", "--", "--check", "-l"]);
    judged(&mut command, "files are not formatted", "run `cargo fmt`")
}

/// All workspaces: a new dependency of a crate is one of the bench too, which nobody builds every day, and the rivals are
/// built by hand alone.
pub(super) fn lock_files(workspace: &Workspace) -> Outcome<Findings> {
    let mut findings = Findings::default();
    for folder in [".", "xtask/bench", "xtask/rivals"] {
        let mut command = process::cargo(&workspace.root().join(folder));
        command.args(["update", "--workspace", "--locked", "--quiet"]);
        if !process::succeeds(&mut command)? {
            findings.problem(Problem::new(
                format!("{folder}/Cargo.lock"),
                "it does not fit the manifests",
                "run `cargo update --workspace` in its folder, and commit the file",
            ));
        }
    }
    Ok(findings)
}

pub(super) fn clippy_default(workspace: &Workspace) -> Outcome<Findings> {
    clippy(workspace, &[])
}

pub(super) fn clippy_all_features(workspace: &Workspace) -> Outcome<Findings> {
    clippy(workspace, &["--all-features"])
}

fn clippy(workspace: &Workspace, features: &[&str]) -> Outcome<Findings> {
    let mut command = process::cargo(workspace.root());
    command
        .args(["clippy", "--quiet", "--keep-going", "--workspace", "--all-targets"])
        .args(features)
        .args(["--", "-D", "warnings"]);
    judged(
        &mut command,
        "the compiler or clippy complains (printed above)",
        "follow its hint; an exception is `#[expect(lint, reason = \"…\")]`, never `#[allow]`",
    )
}

pub(super) fn documentation(workspace: &Workspace) -> Outcome<Findings> {
    let mut command = process::cargo(workspace.root());
    command.args(["doc", "--quiet", "--no-deps", "--workspace"]).env("RUSTDOCFLAGS", "-D warnings");
    judged(
        &mut command,
        "rustdoc complains (printed above)",
        "mend the link or the missing sentence it names",
    )
}

/// Runs a command with its output shown; a failure becomes one problem.
fn judged(command: &mut Command, rule: &str, fix: &str) -> Outcome<Findings> {
    let mut findings = Findings::default();
    if !process::succeeds(command)? {
        findings.problem(Problem::new(format!("`{}`", process::shown(command)), rule, fix));
    }
    Ok(findings)
}
